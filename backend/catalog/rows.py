"""The rows of a data file of any accepted kind, one by one and in bounded memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from backend.catalog.json_array import looks_like_document, read_document
from backend.catalog.jsonl import LINE_CAP, SKIP_CAP, Line, read_jsonl
from backend.catalog.parquet import read_parquet
from backend.catalog.tables import read_table
from backend.errors import BadContent, NotFound

__all__ = ["LINE_CAP", "SKIP_CAP", "SUFFIXES", "Line", "data_file", "read_lines"]

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


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
    """Every line, record or item of a regular file; the name's ending says how it is written."""
    # O_NONBLOCK: the file could have been swapped for a pipe since it was looked at.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadContent(f"{path} is not a regular file.", hint="Choose a JSONL file on disk.")
        yield from _reader(path, file)


def _reader(path: Path, file: BinaryIO) -> Iterator[Line]:
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        return read_table(file, delimiter="\t" if kind == ".tsv" else None)
    if kind == ".parquet":
        return read_parquet(path)
    if kind == ".json":
        head = os.pread(file.fileno(), LINE_CAP, 0)
        if looks_like_document(head):
            return read_document(file)
    return read_jsonl(file)
