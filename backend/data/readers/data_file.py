"""The rows of a data file of any accepted kind, one by one and in bounded memory."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from backend.core.disk.paths import plain_path
from backend.data.readers.csv_table import read_table
from backend.data.readers.file_kinds import LOOKED_AT, refuse_foreign
from backend.data.readers.json_document import looks_like_document, read_document
from backend.data.readers.jsonl import BOM, LINE_CAP, SKIP_CAP, read_jsonl
from backend.data.readers.one_form import in_one_form
from backend.data.readers.parquet import read_parquet
from backend.data.rows.line import Line
from backend.data.rows.turns import is_turn
from backend.errors import BadContent, NotFound

__all__ = ["LINE_CAP", "SKIP_CAP", "SUFFIXES", "Line", "data_file", "read_lines"]

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


_LOOKED_AT = 2000  # Names in a folder, in search of one that may have been meant.
_LIST_IN_LINES = "the file is one JSON list, as in a .json file"


def data_file(path: str | Path, name: str = "train.jsonl") -> Path:
    """The file a given path means: itself, or `name` in it where it is a folder.

    Raises NotFound or BadContent with a sentence. Devices and pipes are refused before they are
    opened: reading them could hang or never end.
    """
    given = Path(plain_path(path) if isinstance(path, str) else path).expanduser()
    try:
        mode = given.stat().st_mode
    except (OSError, ValueError) as problem:
        raise NotFound(f"There is no file {str(path)[:500]!r}.", hint=_hint_for(given)) from problem
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


def _hint_for(missing: Path) -> str:
    """What may have been meant: the nearest name beside it, else how a path is given."""
    if not missing.is_absolute():
        return "Give the whole path, from / on, or choose the file with Browse."
    try:
        names = sorted(islice((entry.name for entry in os.scandir(missing.parent)), _LOOKED_AT))
    except (OSError, ValueError):
        return "Its folder is not there either. Check the path, or choose the file with Browse."
    if near := get_close_matches(missing.name, names, n=3, cutoff=0.6):
        meant = " or ".join(str(missing.parent / name) for name in near)
        return f"Did you mean {meant}?"
    return "Check the path, or choose the file with Browse."


def read_lines(path: Path) -> Iterator[Line]:
    """Every line, record or item of a regular file; the name's ending says how it is written.

    Rows are in one of our forms wherever they can be understood: `Line.readings` says how.
    """
    with _opened(path) as file:
        keyed = path.suffix.lower() not in (".csv", ".tsv", ".parquet")
        again = partial(_plain_lines, path) if keyed else None
        yield from in_one_form(_reader(path, file), file.fileno(), again)


def _plain_lines(path: Path) -> Iterator[Line]:
    """Every line, in whatever form it is written."""
    with _opened(path) as file:
        yield from _reader(path, file)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    # O_NONBLOCK: the file could have been swapped for a pipe since it was looked at.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadContent(f"{path} is not a regular file.", hint="Choose a JSONL file on disk.")
        yield file


def _reader(path: Path, file: BinaryIO) -> Iterator[Line]:
    kind = path.suffix.lower()
    refuse_foreign(path, os.pread(file.fileno(), LOOKED_AT, 0))
    if kind in (".csv", ".tsv"):
        return read_table(file, delimiter="\t" if kind == ".tsv" else None)
    if kind == ".parquet":
        return read_parquet(path)
    if kind == ".json":
        head = os.pread(file.fileno(), LINE_CAP, 0)
        if looks_like_document(head):
            return read_document(file)
    elif _is_list(os.pread(file.fileno(), LINE_CAP, 0)):
        return _said(read_document(file), _LIST_IN_LINES)
    return read_jsonl(file)


def _is_list(head: bytes) -> bool:
    """Whether a file of lines is one JSON list: it begins with one that the first line, which may
    be a conversation by itself, does not close.
    """
    start = head.lstrip(BOM + b" \t\r\n")
    if not start.startswith(b"["):
        return False
    first, _, rest = start.partition(b"\n")
    if not rest.strip():
        return start[1:].lstrip().startswith(b"{") and not _is_conversation(first)
    return not first.rstrip().endswith(b"]")


def _is_conversation(line: bytes) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) and bool(value) and all(map(is_turn, value))


def _said(lines: Iterator[Line], reading: str) -> Iterator[Line]:
    """The same lines, of which the first says how the file is read."""
    for number, line in enumerate(lines):
        yield replace(line, readings=(reading, *line.readings)) if number == 0 else line
