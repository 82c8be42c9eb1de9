"""Read the rows of one JSON document, `[…]` or `{"data": […]}`, without holding it in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from backend.data.readers.jsonl import LINE_CAP, Decoder, encodable, kind_of
from backend.data.rows.line import Line

CONTAINERS = ("data", "rows", "train", "examples", "items")
_PIECE = 256 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")


class _Broken(Exception):
    """The document can't be read further."""


def looks_like_document(head: bytes) -> bool:
    """Whether a .json file is one document, judging by its beginning; else it is JSON lines."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"["):
        return True
    if not start.startswith(b"{"):
        return False
    first, _, rest = start.partition(b"\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return True  # It goes on over several lines.
    inside = isinstance(value, dict) and any(_is_rows(value.get(name)) for name in CONTAINERS)
    return inside and not rest.strip()


def read_document(file: BinaryIO) -> Iterator[Line]:
    """The items of the list, numbered from 1 as rows of the document."""
    text = _Text(file)
    number = 0
    try:
        text.open_list()
        while not text.at_end_of_list(first=number == 0):
            value = text.value()
            number += 1
            yield _line(number, value, text.readings())
    except _Broken as problem:
        yield Line(number + 1, None, f"can't be read: {problem}; nothing after it was read", b"")


def _line(number: int, value: Any, readings: tuple[str, ...]) -> Line:
    if not isinstance(value, dict):
        return Line(number, None, f"is not a JSON object but {kind_of(value)}", b"", clean=False)
    if not encodable(value):
        text = "has half of a character (a lone \\ud8… escape)"
        return Line(number, None, text, b"", clean=False)
    try:
        raw = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return Line(number, None, "has NaN or Infinity, which are not JSON", b"", clean=False)
    return Line(number, value, None, raw, clean=False, readings=readings)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


class _Text:
    """A window that slides over the document; one value must fit into LINE_CAP."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = Decoder()
        self._held = ""
        self._at = 0
        self._ended = False

    def open_list(self) -> None:
        if self._take("["):
            return
        if not self._take("{"):
            raise _Broken("it is neither a list nor an object with a list")
        while not self._take("}"):
            name = self.value()
            if not isinstance(name, str) or not self._take(":"):
                raise _Broken("it is not valid JSON")
            if name in CONTAINERS and self._take("["):
                return
            self.value()
            self._take(",")
        raise _Broken("it has no list under " + ", ".join(f'"{name}"' for name in CONTAINERS[:4]))

    def at_end_of_list(self, *, first: bool) -> bool:
        if self._take("]"):
            return True
        if not first and not self._take(","):
            raise _Broken(
                "the file ends too early"
                if self._nothing_left()
                else "a comma is missing before it"
            )
        return False

    def value(self) -> Any:
        self._skip_space()
        while True:
            try:
                value, end = self._decoder.value_at(self._held, self._at)
            except json.JSONDecodeError as problem:
                if not self._cut_off(problem) or not self._more():
                    raise _Broken(problem.msg.lower()) from problem
            except (ValueError, RecursionError) as problem:
                raise _Broken(str(problem)) from problem
            else:
                # A number at the very end of the window may go on behind it.
                if end < len(self._held) or not self._more():
                    self._at = end
                    return value

    def readings(self) -> tuple[str, ...]:
        """What to say of the last value."""
        return self._decoder.readings()

    def _cut_off(self, problem: json.JSONDecodeError) -> bool:
        """Whether it may be the window's end that is wrong, not the document."""
        return problem.msg.startswith("Unterminated") or problem.pos > len(self._held) - 16

    def _take(self, sign: str) -> bool:
        self._skip_space()
        if self._held.startswith(sign, self._at):
            self._at += 1
            return True
        return False

    def _skip_space(self) -> None:
        while True:
            match = _SPACE.match(self._held, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._held) or not self._more():
                return

    def _nothing_left(self) -> bool:
        return self._ended and self._at >= len(self._held)

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        if self._ended:
            return False
        if len(self._held) - self._at > LINE_CAP:
            raise _Broken(f"it is longer than {LINE_CAP // 1024 // 1024} MiB")
        raw = self._file.read(_PIECE)
        self._ended = not raw
        try:
            new = self._decode.decode(raw, final=self._ended)
        except UnicodeDecodeError as problem:
            raise _Broken("the file is not UTF-8 text; save it as UTF-8") from problem
        self._held = self._held[self._at :] + new
        self._at = 0
        return True
