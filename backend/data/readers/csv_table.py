"""Read the rows of a CSV or TSV file: the first line names the columns, every value is a text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from backend.data.readers.jsonl import BOM, LINE_CAP, encodable
from backend.data.rows.line import Line
from backend.data.rows.spellings import CHAT_LISTS, TOOL_LISTS
from backend.data.rows.turns import is_turn, parsed

# Written as JSON inside a cell, where needed.
_NESTED = (*CHAT_LISTS, *TOOL_LISTS)
_MAY_NEST = ("prompt", "completion", "chosen", "rejected")
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_NAMELESS = "a column without a name, such as the index of a data frame, is passed over"


class _Physical:
    """The file's own lines, for the CSV reader: bounded, counted, as text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0
        self.too_long = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LINE_CAP + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        if len(raw) > LINE_CAP:
            self.too_long = True
            raise StopIteration
        bare = raw.removeprefix(BOM) if self.number == 1 else raw
        return bare.decode("utf-8", errors="surrogateescape")


def read_table(file: BinaryIO, *, delimiter: str | None = None) -> Iterator[Line]:
    """Every record, numbered by the line it begins in. `delimiter` is guessed from the header."""
    csv.field_size_limit(LINE_CAP)
    lines = _Physical(file)
    head = next(lines, None)
    if head is None:
        if lines.too_long:
            yield Line(1, None, "is too long to be a header", b"", clean=False)
        return
    if hint := _SEPARATOR.fullmatch(head):  # Written by Excel for itself.
        delimiter, head = hint[1], next(lines, "")
    reader = csv.reader([head], delimiter=delimiter or _guess(head))
    names = [name.strip() for name in next(reader, [])]
    problem = _header_problem(names)
    if problem:
        yield Line(1, None, problem, b"", clean=False)
        return
    yield from _records(lines, names, reader.dialect.delimiter)
    if lines.too_long:
        text = f"is longer than {LINE_CAP // 1024 // 1024} MiB; nothing after it was read"
        yield Line(lines.number, None, text, b"", clean=False)


def _records(lines: _Physical, names: Sequence[str], delimiter: str) -> Iterator[Line]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Line(start, None, f"is not valid CSV: {problem}", b"", clean=False)
            # The reader may be inside a quotation that never ends: begin anew at the next line.
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        yield _line(start, cells, names)


def _line(number: int, cells: Sequence[str], names: Sequence[str]) -> Line:
    if not any(cell.strip() for cell in cells):
        return Line(number, None, None, b"", clean=False)
    if len(cells) > len(names):
        text = f"has {len(cells)} cells, but the header names {len(names)} columns"
        return Line(number, None, text, b"", clean=False)
    row: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=False) if name}
    if not encodable(row):
        return Line(number, None, "is not UTF-8 text; save the file as UTF-8", b"", clean=False)
    for name in _MAY_NEST:
        turns = parsed(row.get(name))
        if isinstance(turns, list) and turns and all(map(is_turn, turns)):
            row[name] = turns
    for name in _NESTED:
        cell = row.get(name)
        if isinstance(cell, str) and cell.lstrip().startswith("["):
            try:
                row[name] = json.loads(cell)
            except (ValueError, RecursionError):
                text = f"has a cell {name!r} that is not valid JSON"
                return Line(number, None, text, b"", clean=False)
        elif cell == "":
            del row[name]
    raw = json.dumps(row, ensure_ascii=False).encode()
    readings = () if all(names) else (_NAMELESS,)
    return Line(number, row, None, raw, clean=False, readings=readings)


def _guess(head: str) -> str:
    return max((",", ";", "\t", "|"), key=head.count)


def _header_problem(names: Sequence[str]) -> str | None:
    if not any(names):
        return "must name the columns; every name is empty"
    if any("\udc80" <= sign <= "\udcff" for name in names for sign in name):
        return "is not UTF-8 text; save the file as UTF-8"
    twice = next((name for name in names if name and names.count(name) > 1), None)
    return f"names the column {twice[:80]!r} twice" if twice else None
