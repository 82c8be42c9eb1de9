"""Rows spread evenly over a file of unknown length, in one pass: all of a small one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_ROWS = 20_000
MOST_BYTES = 32 * 1024 * 1024


class SampleWriter:
    """Writes every `stride`-th row; the stride doubles as the file turns out to be longer.

    Whoever reads it takes the rows whose `index` is a multiple of the last stride, which the last
    line tells: from half to all of MOST_ROWS, evenly spread, the same ones every time.
    """

    def __init__(self, path: Path, *, rows: int = MOST_ROWS, size: int = MOST_BYTES) -> None:
        self._path = path
        self._rows = rows
        self._size = size
        self._stride = 1
        self._kept = self._bytes = 0
        self._index = 0

    def __enter__(self) -> SampleWriter:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        end = {"stride": self._stride, "rows": self._index}
        self._file.write(json.dumps(end).encode() + b"\n")
        self._file.close()

    def add(self, line: int, row: Mapping[str, Any]) -> None:
        index, self._index = self._index, self._index + 1
        if index % self._stride:
            return
        if self._kept >= self._rows or self._bytes >= self._size:
            self._stride *= 2
            self._kept //= 2
            self._bytes //= 2
            if index % self._stride:
                return
        text = json.dumps({"index": index, "line": line, "row": row}, ensure_ascii=False)
        raw = text.encode() + b"\n"
        self._file.write(raw)
        self._kept += 1
        self._bytes += len(raw)
