"""A person's own reward functions: run only as the very bytes that were trusted.

The file is read once, its SHA-256 compared with the one that was recorded when it was trusted,
and what was read is what runs: there is no moment in which it could be exchanged.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import traceback
from collections.abc import Mapping, Set
from pathlib import Path
from types import ModuleType

from backend.contract.reward_arguments import NEEDED
from backend.engines.rewards.builtin import SHIPPED
from backend.engines.rewards.engine import Function, registry
from backend.engines.rewards.signature import Unfit, adapted

MODULE = "custom_rewards"  # The name that the engine gives such a file.
FILE_CAP = 64 * 1024
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class FileRefused(ValueError):
    """The file is missing, changed, raising or has no usable function; the text says which."""


def load_file(path: Path, sha256: str | None) -> dict[str, Function | Unfit]:
    """Run the file and answer its functions by name: those registered with the engine's
    decorator, and the public ones of the file that take completions. Those that ask for more than
    is handed over are Unfit.

    Raises FileRefused with a sentence: missing, changed since it was trusted, raising, empty, or
    with a name that a function of the engine has.
    """
    source = _read(path, sha256)
    registered_names = registry()
    before = dict(registered_names)
    module = ModuleType(MODULE)
    module.__file__ = str(path)
    previous = sys.modules.get(MODULE)
    sys.modules[MODULE] = module  # Where dataclasses and pickle look for their module.
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - it was trusted
        functions = _functions(module, before)
    except Exception as problem:
        raise FileRefused(_raised(path, problem)) from problem
    except SystemExit as problem:
        raise FileRefused(f"{path.name} ended the program while it was loaded.") from problem
    finally:
        registered_names.clear()
        registered_names.update(before)
        if previous is not None:
            sys.modules[MODULE] = previous
    _check_names(path, functions, {*before, *(shipped.name for shipped in SHIPPED)})
    if not functions:
        raise FileRefused(
            f"{path.name} has no reward function. Write one as def name(prompts, completions, "
            "answer, types=None), or as TRL's def name(completions, **kwargs), that returns one "
            "number for each completion."
        )
    return {name: adapted(name, function) for name, function in functions.items()}


def _read(path: Path, sha256: str | None) -> str:
    if sha256 is None:
        raise FileRefused(f"{path.name} has not been trusted, so it is not run.")
    try:
        with path.open("rb") as file:
            source = file.read(FILE_CAP + 1)
    except OSError as problem:
        raise FileRefused(f"{path} can't be read: {problem.strerror}.") from problem
    if hashlib.sha256(source).hexdigest() != sha256:
        raise FileRefused(
            f"{path.name} has changed since it was trusted; look at it and trust it again."
        )
    try:
        # As text: a line that declares another encoding would make other code of it than is shown.
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileRefused(f"{path.name} is not UTF-8 text.") from problem


def _functions(module: ModuleType, before: dict[str, Function]) -> dict[str, Function]:
    registered = {
        name: function for name, function in registry().items() if before.get(name) is not function
    }
    again = set(map(id, registered.values()))
    own = {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == MODULE
        and not name.startswith("_")
        and id(value) not in again
        and NEEDED in inspect.signature(value).parameters
    }
    return {**registered, **own}


def _check_names(path: Path, functions: Mapping[str, Function], taken: Set[str]) -> None:
    for name, function in functions.items():
        if name in taken:
            raise FileRefused(
                f"{path.name} has a function named {name}, as a built-in one is; rename it."
            )
        if not NAME.fullmatch(name):
            raise FileRefused(
                f"{path.name} has a function named {name[:80]!r}; names are letters, digits and "
                "underscores."
            )
        if not callable(function):
            raise FileRefused(f"{path.name} registers {name}, which is not a function.")


def _raised(path: Path, problem: Exception) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(problem.__traceback__)
        if frame.filename == str(path)
    ]  # fmt: skip
    line = getattr(problem, "lineno", None) if isinstance(problem, SyntaxError) else None
    where = line or (lines[-1] if lines else None)
    at = f" in line {where}" if where else ""
    return f"{path.name} can't be loaded: {type(problem).__name__}{at}: {problem}"
