"""What a person's reward file says, without running it: its code, its functions, its imports.

The server never imports such a file. It is read as text and parsed; what is shown is what will
run, so what could make the two look different is pointed out.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from backend.contract.reward_arguments import NEEDED, unfit_reason
from backend.core.disk.paths import plain_path
from backend.errors import AppError, BadContent, FieldProblem, Invalid, NotFound, TooLarge
from backend.training.rewards.schemas import FoundFunction, RewardCode

CAP = 64 * 1024  # Bytes; the engine has the same limit. More is not read, and slow to parse.
FIELD = "reward_functions_file"

_DECORATOR = "register_reward_function"
# Characters that are not seen or turn the order of others around (CVE-2021-42574).
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]"
)


def code_path(value: str) -> Path:
    """The file that is meant, without links. Raises Invalid or NotFound with a sentence."""
    path = Path(plain_path(value)).expanduser()
    if not value.strip() or "\0" in value or not path.is_absolute():
        raise _named(
            Invalid(
                f"{value[:200]!r} is not the full path of a Python file.",
                hint="Choose the file with Browse, or give its path from the top.",
            )
        )
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as problem:
        raise _named(NotFound(f"There is no file {value[:500]!r}.")) from problem


def read_code(path: Path) -> tuple[bytes, str]:
    """The file and its SHA-256. Raises NotFound, TooLarge or BadContent, and never blocks."""
    try:
        # O_NONBLOCK: opening a pipe would else wait for somebody to write into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if path.suffix != ".py" or not stat.S_ISREG(os.fstat(handle).st_mode):
                raise _named(
                    BadContent(
                        f"{path} is not a Python file.", hint="Choose a file that ends in .py."
                    )
                )
            source = file.read(CAP + 1)
    except OSError as problem:
        raise _named(NotFound(f"{path} can't be read: {problem.strerror}.")) from problem
    if len(source) > CAP:
        raise _named(
            TooLarge(
                f"{path.name} is longer than {CAP // 1024} KiB, more than can be looked through.",
                hint="Keep only the reward functions in it.",
            )
        )
    return source, hashlib.sha256(source).hexdigest()


def describe_code(path: Path, source: bytes, sha256: str, *, trusted: bool) -> RewardCode:
    """Raises BadContent when it is no Python source."""
    try:
        text = source.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        tree = ast.parse(text, filename=str(path))
    except UnicodeDecodeError as problem:
        raise _named(BadContent(f"{path.name} is not UTF-8 text.")) from problem
    except SyntaxError as problem:
        raise _named(
            BadContent(f"{path.name} is no valid Python: {problem.msg} in line {problem.lineno}.")
        ) from problem
    except (ValueError, RecursionError, MemoryError) as problem:
        raise _named(BadContent(f"{path.name} can't be parsed as Python.")) from problem
    return RewardCode(
        path=str(path),
        sha256=sha256,
        size_bytes=len(source),
        code=text,
        functions=[function for node in tree.body if (function := _function(node)) is not None],
        imports=sorted(set(_imports(tree))),
        trusted=trusted,
        warnings=list(_warnings(text)),
    )


def _function(node: ast.stmt) -> FoundFunction | None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    names = [name for each in node.decorator_list if (name := _registered(each, node.name))]
    arguments = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    if not names and (node.name.startswith("_") or NEEDED not in arguments):
        return None
    doc = " ".join((ast.get_docstring(node) or "").split())
    name = (names or [node.name])[0]
    return FoundFunction(
        name=name,
        line=node.lineno,
        doc=doc[:1000],
        problem=unfit_reason(name, _required(node.args)),
    )


def _required(arguments: ast.arguments) -> list[str]:
    plain = [*arguments.posonlyargs, *arguments.args]
    without = plain[: len(plain) - len(arguments.defaults)]
    keyword_only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [each.arg for each in without] + [
        each.arg for each, default in keyword_only if default is None
    ]


def _registered(node: ast.expr, name: str) -> str | None:
    """The name under which the engine's decorator registers it; None for any other decorator."""
    call = node.func if isinstance(node, ast.Call) else node
    called = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", None)
    if called != _DECORATOR:
        return None
    if isinstance(node, ast.Call):
        values = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "name")]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                return value.value
    return name


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _warnings(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), start=1):
        if _UNSEEN.search(line):
            yield (
                f"Line {number} has characters that can't be seen, with which code can look like "
                "other code."
            )
            return


def _named(refusal: AppError) -> AppError:
    refusal.errors = (FieldProblem(FIELD, refusal.detail),)
    return refusal
