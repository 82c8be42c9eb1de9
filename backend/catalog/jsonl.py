"""Read a JSON-lines file line by line in bounded memory, naming what is wrong with which line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

LINE_CAP = 1024 * 1024
SKIP_CAP = 64 * LINE_CAP
BOM = b"\xef\xbb\xbf"

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `row` is its object, or None with `problem` saying what is wrong; a blank line has
    neither. `clean` is false where the engine, which is less patient, would fail or read it
    otherwise: blank lines, a byte order mark, carriage returns inside, any form but JSON lines.
    """

    number: int
    row: dict[str, Any] | None
    problem: str | None
    raw: bytes
    clean: bool = True


def read_jsonl(file: BinaryIO) -> Iterator[Line]:
    """Every line. A leading byte order mark is no part of line 1."""
    number = 0
    while True:
        raw = file.readline(LINE_CAP + 1)
        if not raw:
            return
        number += 1
        if len(raw) > LINE_CAP:
            text = f"is longer than {LINE_CAP // 1024 // 1024} MiB"
            if skip_rest(file):
                yield Line(number, None, text, b"")
                continue
            text = f"is longer than {SKIP_CAP // 1024 // 1024} MiB; nothing after it was read"
            yield Line(number, None, text, b"")
            return
        bare = raw.removeprefix(BOM) if number == 1 else raw
        if bare.strip():
            yield replace(parse_line(number, bare), clean=bare == raw and b"\r" not in raw[:-2])
        else:
            yield Line(number, None, None, bare, clean=False)


def parse_line(number: int, raw: bytes) -> Line:
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=refuse_constant)
    except UnicodeDecodeError as problem:
        return Line(
            number, None, f"is not UTF-8 text (byte {raw[problem.start]:#04x} in column "
            f"{problem.start + 1}); save the file as UTF-8", raw
        )  # fmt: skip
    except json.JSONDecodeError as problem:
        what = problem.msg.lower().removesuffix(" at")
        return Line(number, None, f"is not valid JSON: {what} in column {problem.colno}", raw)
    except (ValueError, RecursionError) as problem:
        return Line(number, None, f"is not usable JSON: {problem}", raw)
    if _SURROGATE.search(raw) and not encodable(value):
        return Line(number, None, "has half of a character (a lone \\ud8… escape)", raw)
    if not isinstance(value, dict):
        return Line(number, None, f"is not a JSON object but {kind_of(value)}", raw)
    return Line(number, value, None, raw)


def encodable(value: Any) -> bool:
    """False where a text holds half of a character, which can't be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def skip_rest(file: BinaryIO) -> bool:
    """Go to the next line; False when there is none within SKIP_CAP, as in a file of zeros."""
    for _ in range(SKIP_CAP // LINE_CAP):
        piece = file.readline(LINE_CAP)
        if not piece or piece.endswith(b"\n"):
            return True
    return False


def kind_of(value: Any) -> str:
    if isinstance(value, list):
        return "a list (one object per line is needed)"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
