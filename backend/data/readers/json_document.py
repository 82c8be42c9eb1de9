"""Read the rows of one JSON document, `[…]` or `{"data": […]}`, without holding it in memory."""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from backend.data.readers.json_tables import MOST_BYTES, table_rows
from backend.data.readers.jsonl import LINE_CAP, Decoder, row_line
from backend.data.rows.formats import detect
from backend.data.rows.line import Line

CONTAINERS = ("data", "rows", "train", "examples", "items")
_PIECE = 256 * 1024
_NO_LIST = (
    "it has no list under " + ", ".join(f'"{name}"' for name in CONTAINERS[:4])
    + ", and is neither a row nor a table of a known form"
)  # fmt: skip
_TOO_LARGE = (
    "it is one object of columns or rows, which is read up to "
    f"{MOST_BYTES // 1024 // 1024} MiB only; write a row a line, in pandas by "
    "to_json(path, orient='records', lines=True)"
)
_SPLIT = "a list of values is read as a row of the document's 'columns'"
_CUT = "the file ends too early: it was not written or downloaded to its end"
_COMMENT = re.compile(r"//|/\*|#")
_SPACE = re.compile(r"[ \t\r\n]*")
_ENCODER = json.JSONEncoder(ensure_ascii=False)


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
    if not isinstance(value, dict) or rest.strip():
        return False
    inside = any(_is_rows(value.get(name)) for name in CONTAINERS)
    return inside or {"columns", "data"} <= value.keys() or table_rows(value) is not None


def read_document(file: BinaryIO) -> Iterator[Line]:
    """The items of the list, numbered from 1 as rows of the document."""
    text = _Text(file)
    number = 0
    try:
        table = text.open_list()
        if table is not None:
            yield from _table_lines(table)
            return
        last: Line | None = None
        while not text.at_end_of_list(first=number == 0):
            if last is not None:
                yield last
            value = text.item()
            number += 1
            last = _line(number, value, (*text.heading(), *text.readings()))
        if last is not None:
            yield replace(last, readings=(*last.readings, *text.left_unread()))
    except _Broken as problem:
        yield Line(number + 1, None, f"can't be read: {problem}; nothing after it was read", b"")


def _table_lines(table: dict[str, Any]) -> Iterator[Line]:
    """The rows of a document that is one object without a list of rows."""
    found = table_rows(table)
    if found is not None:
        rows, reading = found
        for number, row in enumerate(rows, start=1):
            yield _line(number, row, (reading,) if number == 1 else ())
    elif detect(table) != "unknown":
        yield _line(1, table, ())
    else:
        raise _Broken(_NO_LIST)


def _line(number: int, value: Any, readings: tuple[str, ...]) -> Line:
    try:
        raw = _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        text = "has half of a character (a lone \\ud8… escape)"
        return Line(number, None, text, b"", clean=False)
    if isinstance(value, dict) and not readings:  # As nearly all are.
        return Line(number, value, None, raw, clean=False)
    return replace(row_line(number, value, raw, readings), clean=False)


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
        self._cap = LINE_CAP
        self._columns: Any = None
        self._container: str | None = None

    def open_list(self) -> dict[str, Any] | None:
        """Go to the first of the rows; None then, else the whole object, which has no such list."""
        if self._take("["):
            return None
        if not self._take("{"):
            raise _Broken("it is neither a list nor an object with a list")
        held: dict[str, Any] = {}
        self._cap = MOST_BYTES
        while not self._take("}"):
            name = self.value()
            if not isinstance(name, str) or not self._take(":"):
                raise _Broken("it is not valid JSON")
            if name in CONTAINERS and self._take("["):
                self._cap = LINE_CAP
                self._columns = held.get("columns")
                self._container = name
                return None
            value = self.value()
            if os.fstat(self._file.fileno()).st_size <= MOST_BYTES:
                held[name] = value
            self._take(",")
        if not held:
            raise _Broken(_TOO_LARGE)
        return held

    def at_end_of_list(self, *, first: bool) -> bool:
        if self._take("]"):
            return True
        if first:
            return False
        if not self._take(","):
            raise _Broken(_CUT if self._nothing_left() else "a comma is missing before it")
        if self._take("]"):
            raise _Broken("a comma stands before the ] that closes the list; remove it")
        return False

    def item(self) -> Any:
        """The next row: one of a table with `columns` beside its rows gets their names."""
        value = self.value()
        names = self._columns
        if isinstance(names, list) and isinstance(value, list) and len(names) == len(value):
            return dict(zip(map(str, names), value, strict=True))
        return value

    def heading(self) -> tuple[str, ...]:
        """What to say of rows without names of their own."""
        return (_SPLIT,) if self._columns else ()

    def left_unread(self) -> tuple[str, ...]:
        """What to say of a document that goes on behind its list."""
        if self._container is None or not self._take(","):
            return ()
        return (f"of the document only the list under {self._container!r} is read",)

    def value(self) -> Any:
        self._skip_space()
        while True:
            try:
                value, end = self._decoder.value_at(self._held, self._at)
            except json.JSONDecodeError as problem:
                if not self._cut_off(problem) or not self._more():
                    raise _Broken(self._what(problem)) from problem
            except RecursionError as problem:
                raise _Broken("its objects are nested too deep") from problem
            except ValueError as problem:
                raise _Broken("a number of more digits than can be read") from problem
            else:
                # A number at the very end of the window may go on behind it.
                if end < len(self._held) or not self._more():
                    self._at = end
                    return value

    def readings(self) -> tuple[str, ...]:
        """What to say of the last value."""
        return self._decoder.readings()

    def _what(self, problem: json.JSONDecodeError) -> str:
        if _COMMENT.match(self._held, problem.pos):
            return "JSON has no comments: remove it"
        return _CUT if self._ended and self._cut_off(problem) else problem.msg.lower()

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
        if self._held[self._at : self._at + 1] > " ":
            return
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
        if len(self._held) - self._at > self._cap:
            if self._cap == MOST_BYTES:
                raise _Broken(_TOO_LARGE)
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
