"""The reader of files that were written earlier, by this app, its engines or anybody else.

A file on disk can hold anything, so nothing in it may hang, exhaust or crash the server: only
regular files are opened, size and depth are bounded, and what JSON over the wire can't carry is
replaced: NaN, Infinity and numbers beyond 64 bits by null, lone surrogates by question marks.
The engines use this module too (through `files`), so it imports nothing heavy.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import yaml

from backend.errors import BadContent

MAX_BYTES = 16 * 1024 * 1024
MAX_YAML_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 2_000_000  # Of a YAML document whose aliases are written out.

_WHOLE_LIMIT = 2**64
_DIGITS = 20  # Of the longest number below that limit.
_ODD_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


class DamagedFile(BadContent):
    """A file that is there and can't be read as what it should be. The detail is a sentence."""


class Validated(Protocol):
    """A Pydantic model, without importing Pydantic into the engines."""

    @classmethod
    def model_validate_json(cls, json_data: str) -> Self: ...


Model = TypeVar("Model", bound=Validated)


def open_regular(path: Path) -> int:
    """A descriptor of a regular file, for reading. A pipe or a device is never waited for.

    Raises OSError, also for anything that is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    return handle


def read_bytes(path: Path, *, most: int = MAX_BYTES) -> bytes:
    """The whole file. Raises FileNotFoundError, or DamagedFile with a sentence."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise DamagedFile(f"{path.name} has {size:,} bytes; at most {most:,} are read.")
            return file.read(most)
    except FileNotFoundError:
        raise
    except OSError as problem:
        if problem.errno in (errno.EINVAL, errno.ENXIO):
            raise DamagedFile(f"{path.name} is not a regular file.") from problem
        raise DamagedFile(f"{path.name} can't be opened: {problem.strerror}.") from problem


def read_text(path: Path, *, most: int = MAX_BYTES) -> str:
    """The file as UTF-8 text. Raises FileNotFoundError or DamagedFile."""
    try:
        return read_bytes(path, most=most).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        text = f"{path.name} is not UTF-8 text (byte {problem.start})."
        raise DamagedFile(text) from problem


def read_json(path: Path, *, most: int = MAX_BYTES) -> Any:
    """The file's JSON value, cleaned. Raises FileNotFoundError or DamagedFile."""
    text = read_text(path, most=most)
    try:
        return parse_json(text)
    except RecursionError as problem:
        raise DamagedFile(f"{path.name} is nested deeper than {MAX_DEPTH} levels.") from problem
    except ValueError as problem:
        what = f"is not valid JSON ({problem})" if text.strip() else "is empty"
        raise DamagedFile(f"{path.name} {what}.") from problem


def read_object(path: Path, *, most: int = MAX_BYTES) -> dict[str, Any]:
    """The file's JSON object. Raises FileNotFoundError or DamagedFile."""
    value = read_json(path, most=most)
    if not isinstance(value, dict):
        raise DamagedFile(f"{path.name} holds no JSON object but a {type(value).__name__}.")
    return value


def read_model(path: Path, model: type[Model], *, most: int = MAX_BYTES) -> Model:
    """The file as a Pydantic model. Raises FileNotFoundError or DamagedFile."""
    value = read_json(path, most=most)
    try:
        return model.model_validate_json(json.dumps(value))
    except ValueError as problem:  # Pydantic's ValidationError is one.
        _, where, why = [*str(problem).splitlines(), "", ""][:3]
        reason = f"{where.strip()}: {why.split(' [type=')[0].strip()}".strip(": ")
        raise DamagedFile(f"{path.name} has not the fields it should ({reason}).") from problem


def read_yaml(path: Path, *, most: int = MAX_YAML_BYTES) -> Any:
    """The file's YAML, plain values only, cleaned. Raises FileNotFoundError or DamagedFile."""
    text = read_text(path, most=most)
    try:
        return _Cleaner().clean(yaml.safe_load(text), 0)
    except RecursionError as problem:
        raise DamagedFile(f"{path.name} is nested deeper than {MAX_DEPTH} levels.") from problem
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as problem:
        reason = " ".join(str(problem).split())[:300]
        raise DamagedFile(f"{path.name} is not YAML ({reason}).") from problem


def parse_json(text: str, *, finite: bool = True) -> Any:
    """The JSON value of a text, cleaned as above. Of a repeated key the last value counts. Without
    `finite`, NaN and Infinity stay, for a caller that reports them.

    Raises ValueError, or RecursionError beyond MAX_DEPTH.
    """
    if finite:
        value = json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=lambda _: None
        )
    else:
        value = json.loads(text, parse_int=_whole)
    if _ODD_CHARACTER.search(text):
        return _Cleaner(finite=finite).clean(value, 0)
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise RecursionError
    return value


class _Cleaner:
    """Copies a value of JSON or YAML without what the wire can't carry."""

    def __init__(self, *, finite: bool = True) -> None:
        self._finite = finite
        self._nodes = 0

    def clean(self, value: Any, depth: int) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise RecursionError
        if self._nodes > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES:,} values")
        match value:
            case dict():
                return {
                    self.clean(name, depth + 1): self.clean(item, depth + 1)
                    for name, item in value.items()
                }
            case list():
                return [self.clean(item, depth + 1) for item in value]
            case str():
                return value.encode("utf-8", errors="replace").decode("utf-8")
            case float():
                return value if math.isfinite(value) or not self._finite else None
            case int():
                return value if abs(value) < _WHOLE_LIMIT else None
            case _:
                return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper than that."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _whole(text: str) -> int | None:
    if len(text) < _DIGITS - 1:  # Most are, and come by the ten thousand.
        return int(text)
    if len(text.lstrip("-")) > _DIGITS:
        return None
    value = int(text)
    return value if abs(value) < _WHOLE_LIMIT else None


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None
