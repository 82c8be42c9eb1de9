"""Read a JSON-lines file row by row in bounded memory, naming what is wrong with which line."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from backend.errors import BadContent, NotFound

LINE_CAP = 1024 * 1024
SKIP_CAP = 64 * LINE_CAP
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `row` is its object, or None with `problem` saying what is wrong; a blank line has
    neither. `clean` is false where the engine, which is less patient, would fail or read it
    otherwise: blank lines, a byte order mark, carriage returns inside.
    """

    number: int
    row: dict[str, Any] | None
    problem: str | None
    raw: bytes
    clean: bool = True


def data_file(path: str | Path, name: str = "train.jsonl") -> Path:
    """The file a given path means: itself, or `name` in it where it is a folder.

    Raises NotFound or BadContent with a sentence. Devices and pipes are refused before they are
    opened: reading them could hang or never end.
    """
    given = Path(path).expanduser()
    try:
        mode = given.stat().st_mode
    except (OSError, ValueError) as problem:
        raise NotFound(
            f"There is no file {str(path)[:500]!r}.",
            hint="Check the path, or choose the file with Browse.",
        ) from problem
    if stat.S_ISDIR(mode):
        inside = given / name
        if not inside.is_file():
            raise NotFound(
                f"The folder {given} has no {name}.", hint="Choose a JSONL file, or such a folder."
            )
        return inside
    if not stat.S_ISREG(mode):
        raise BadContent(f"{given} is not a regular file.", hint="Choose a JSONL file on disk.")
    return given


def read_lines(path: Path) -> Iterator[Line]:
    """Every line of a regular file. A leading byte order mark is no part of line 1."""
    # O_NONBLOCK: the file could have been swapped for a pipe since it was looked at.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadContent(f"{path} is not a regular file.", hint="Choose a JSONL file on disk.")
        number = 0
        while True:
            raw = file.readline(LINE_CAP + 1)
            if not raw:
                return
            number += 1
            if len(raw) > LINE_CAP:
                text = f"is longer than {LINE_CAP // 1024 // 1024} MiB"
                if _skip_rest(file):
                    yield Line(number, None, text, b"")
                    continue
                text = f"is longer than {SKIP_CAP // 1024 // 1024} MiB; nothing after it was read"
                yield Line(number, None, text, b"")
                return
            bare = raw.removeprefix(_BOM) if number == 1 else raw
            if bare.strip():
                yield replace(_parse(number, bare), clean=bare == raw and b"\r" not in raw[:-2])
            else:
                yield Line(number, None, None, bare, clean=False)


def _parse(number: int, raw: bytes) -> Line:
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as problem:
        return Line(
            number, None, f"is not UTF-8 text (byte {raw[problem.start]:#04x} in column "
            f"{problem.start + 1}); save the file as UTF-8", raw
        )  # fmt: skip
    except json.JSONDecodeError as problem:
        return Line(
            number, None, f"is not valid JSON: {problem.msg.lower()} in column {problem.colno}", raw
        )
    except (ValueError, RecursionError) as problem:
        return Line(number, None, f"is not usable JSON: {problem}", raw)
    if _SURROGATE.search(raw) and not _encodable(value):
        return Line(number, None, "has half of a character (a lone \\ud8… escape)", raw)
    if not isinstance(value, dict):
        return Line(number, None, f"is not a JSON object but {_kind(value)}", raw)
    return Line(number, value, None, raw)


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _skip_rest(file: BinaryIO) -> bool:
    """Go to the next line; False when there is none within SKIP_CAP, as in a file of zeros."""
    for _ in range(SKIP_CAP // LINE_CAP):
        piece = file.readline(LINE_CAP)
        if not piece or piece.endswith(b"\n"):
            return True
    return False


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list (one object per line is needed)"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
