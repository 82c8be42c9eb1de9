"""Rows of one file in one form, where only some have the column that makes a row a conversation.

A prompt and its completion become a conversation where a system text stands beside them, and an
alpaca row where it has a history. The rows without are then read as conversations as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from backend.data.rows.formats import Format, detect
from backend.data.rows.line import Line
from backend.data.rows.normaliser import normal_line, normalise
from backend.data.rows.spellings import SYSTEM_KEYS

# By form: the column that makes a conversation of it, and what a row without it stands for.
_OPENED: Mapping[Format, tuple[str, Any]] = {
    "completions": ("system", None),
    "alpaca": ("history", []),
}
_KEYS: Mapping[Format, re.Pattern[bytes]] = {
    "completions": re.compile(
        rb'(?<!\\)"(?:%s)"\s*:' % "|".join(("system", *SYSTEM_KEYS)).encode()
    ),
    "alpaca": re.compile(rb'(?<!\\)"history"\s*:'),
}

_CHUNK, _LONGEST = 4_194_304, 64  # Bytes read at once, and of the longest such key.
_KEPT = 32
_answers: dict[tuple[Format, tuple[int, int, int]], bool] = {}  # By form and the file's stamp.


def in_one_form(
    lines: Iterator[Line], handle: int, again: Callable[[], Iterator[Line]] | None
) -> Iterator[Line]:
    """The lines, read. `again` reads the file of `handle` from its beginning, where it writes names
    beside values, as JSON does, so that a later row may have a column that the first has not.
    """
    form: Format | None = None
    opened = False
    for line in lines:
        read = normal_line(line)
        if read.row is None:
            yield read
            continue
        if form is None:
            form = _plain_form(read)
            opened = form in _OPENED and (
                detect(read.row) == "chat" or (again is not None and _has_key(handle, form, again))
            )
        yield _opened(line, read) if opened else read


def _plain_form(read: Line) -> Format:
    """The form of a row but for what stands beside it."""
    form = detect(read.row or {})
    written = read.written or {}
    if form != "chat" or "messages" in written:
        return form
    beside = {"system", "history", *SYSTEM_KEYS}
    row, _ = normalise({name: value for name, value in written.items() if name not in beside})
    return detect(row)


def _opened(line: Line, read: Line) -> Line:
    form = detect(read.row or {})
    if form not in _OPENED or read.row is None:
        return read
    name, nothing = _OPENED[form]
    made = normal_line(replace(line, row={**read.row, name: read.row.get(name) or nothing}))
    said = f"a row without {name!r} is read as a conversation, as others of the file have it"
    return replace(made, columns=read.written, readings=(*read.readings, said))


def _has_key(handle: int, form: Format, again: Callable[[], Iterator[Line]]) -> bool:
    """Whether a row of the file has such a column. The key may also stand deeper, in an object of
    another column: only where it stands anywhere are the rows read for it.
    """
    status = os.fstat(handle)
    stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
    found = _answers.get((form, stamp))
    if found is None:
        found = _occurs(handle, form) and any(
            _opens(line, form) and _plain_form(normal_line(line)) == form for line in again()
        )
        while len(_answers) >= _KEPT:
            _answers.pop(next(iter(_answers)))
        _answers[form, stamp] = found
    return found


def _opens(line: Line, form: Format) -> bool:
    """Whether a row has such a column itself."""
    names = ("system", *SYSTEM_KEYS) if form == "completions" else ("history",)
    return line.row is not None and any(name in line.row for name in names)


def _occurs(handle: int, form: Format) -> bool:
    at, before = 0, b""
    while chunk := os.pread(handle, _CHUNK, at):
        if _KEYS[form].search(before + chunk):
            return True
        at += len(chunk)
        before = chunk[-_LONGEST:]
    return False
