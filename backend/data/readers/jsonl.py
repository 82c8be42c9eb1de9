"""Read a JSON-lines file line by line in bounded memory, naming what is wrong with which line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import Any, BinaryIO

from backend.data.rows.line import Line
from backend.data.rows.turns import is_turn, parsed

LINE_CAP = 1024 * 1024
SKIP_CAP = 64 * LINE_CAP
BOM = b"\xef\xbb\xbf"

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Decoder:
    """Reads JSON values; `twice` names the keys that stood twice in one object of the last one,
    `constants` the NaN and Infinity in it, which are read as null, as are numbers beyond them.
    """

    def __init__(self) -> None:
        self.twice: list[str] = []
        self.constants: list[str] = []
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self.constants.append,
            parse_float=self._float,
        )

    def value(self, text: str) -> Any:
        self._begin()
        return self._json.decode(text)

    def value_at(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins there, and where it ends."""
        self._begin()
        return self._json.raw_decode(text, at)

    def readings(self) -> tuple[str, ...]:
        """What to say of the last value."""
        return (
            *(
                f"the key {name[:40]!r} stands twice in one object, of which the last counts"
                for name in dict.fromkeys(self.twice)
            ),
            *(
                f"{name}, which is {'not JSON' if name.isalpha() else 'too large'}, is read as null"
                for name in sorted({name.lstrip("-") for name in self.constants})
            ),
        )

    def _begin(self) -> None:
        self.twice = []
        self.constants.clear()

    def _float(self, text: str) -> float | None:
        value = float(text)
        if isfinite(value):
            return value
        self.constants.append(text[:40])
        return None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    self.twice.append(name)
                seen.add(name)
        return made


def read_jsonl(file: BinaryIO) -> Iterator[Line]:
    """Every line. A leading byte order mark is no part of line 1."""
    number = 0
    decoder = Decoder()
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
            line = parse_line(number, bare, decoder)
            unlike = b"\r" in raw and b"\r" in raw[:-2]
            yield replace(line, clean=False) if unlike or len(bare) != len(raw) else line
        else:
            yield Line(number, None, None, bare, clean=False)


def parse_line(number: int, raw: bytes, decoder: Decoder) -> Line:
    try:
        value = decoder.value(raw.decode("utf-8"))
    except UnicodeDecodeError as problem:
        return Line(
            number, None, f"is not UTF-8 text (byte {raw[problem.start]:#04x} in column "
            f"{problem.start + 1}); save the file as UTF-8", raw
        )  # fmt: skip
    except json.JSONDecodeError as problem:
        what = problem.msg.lower().removesuffix(" at")
        wrong = f"is not valid JSON: {what} in column {problem.colno}{_advice(raw, problem)}"
        return Line(number, None, wrong, raw)
    except RecursionError:
        return Line(number, None, "is not usable JSON: its objects are nested too deep", raw)
    except ValueError:
        return Line(number, None, "has a number of more digits than can be read", raw)
    if _SURROGATE.search(raw) and not encodable(value):
        return Line(number, None, "has half of a character (a lone \\ud8… escape)", raw)
    return row_line(number, value, raw, decoder.readings())


def row_line(number: int, value: Any, raw: bytes, readings: tuple[str, ...]) -> Line:
    """The line of a value that was read, as far as it is a row."""
    inner = parsed(value) if isinstance(value, str) else value
    if inner is not value and isinstance(inner, dict | list):
        readings = (*readings, "a row that is JSON inside a text is read as that JSON")
        value = inner
    if isinstance(value, list) and value and all(map(is_turn, value)):
        text = "a line that is a list of messages is read as one conversation"
        readings, value = (*readings, text), {"messages": value}
    elif not isinstance(value, dict):
        return Line(number, None, f"is not a JSON object but {kind_of(value)}", raw)
    elif not readings:
        return Line(number, value, None, raw)
    return Line(number, value, None, raw, clean=False, readings=readings, columns=value)


def _advice(raw: bytes, problem: json.JSONDecodeError) -> str:
    """The way out of the usual faults, to follow what is wrong."""
    bare = raw.strip()
    if b"\x00" in raw:
        return "; it holds NUL bytes, as a file that was not written to its end, or no text at all"
    if re.search(rb"\}\r+\{", bare):
        return "; its lines end in CR alone: tr '\\r' '\\n' < old.jsonl > new.jsonl"
    if bare.startswith((b"//", b"#", b"/*")):
        return "; JSON has no comments: remove the line"
    if bare.startswith((b"{'", b"['")):
        return "; it is a Python object in single quotes: write it by json.dumps"
    if bare.endswith(b"},"):
        return "; it ends with a comma: in JSON lines nothing stands between two objects"
    if problem.msg == "Extra data" and raw[len(problem.doc[: problem.pos].encode()) :].lstrip()[
        :1
    ] in (b"{", b"["):
        return "; another object follows in the same line: write each in a line of its own"
    if problem.pos == 0 and bare[:1].isalpha():
        return '; plain text needs a row for each piece of it: {"text": "…"}'
    if problem.pos >= len(problem.doc.rstrip()) and bare[:1] in (b"{", b"["):
        return (
            "; the object goes on in the next line: write each on one line, or all of them as a "
            "list in a .json file"
        )
    return ""


def encodable(value: Any) -> bool:
    """False where a text holds half of a character, which can't be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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
