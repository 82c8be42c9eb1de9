"""`python -m backend.data.readers.parquet_child FILE`: the rows of a Parquet file as JSON lines.

A process of its own because pyarrow adds 50 MB to any process that imports it, and keeps much of
what it read. Every line of stdout is a row, or a text that says what is wrong with that row, or a
list with the sentence about why the file can't be read any further.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as arrow
import pyarrow.parquet as parquet

from backend.data.readers.jsonl import LINE_CAP

MOST_AT_ONCE = 256
_BATCH_BYTES = 8 * 1024**2  # What a batch should come to, by the average row of the file.
_BUFFER = 256 * 1024  # With a buffer, a column is read piece by piece instead of whole.
_AS_TEXT = (date, time, timedelta, Decimal, UUID)


def main() -> int:
    path = Path(sys.argv[1])
    try:
        for line in lines(path):
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # Whoever asked has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def lines(path: Path) -> Iterator[bytes]:
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_rows_at_once(file), use_threads=False):
                for row in batch.to_pylist():
                    yield _line(row)
    except (arrow.ArrowException, OSError, ValueError) as problem:
        text = f"{path.name} is not a readable Parquet file: {_sentence(problem)}"
        yield json.dumps([text]).encode()


def plain(value: Any) -> Any:
    """A value as JSON has it. Unset fields of an object are left out, as JSON lines would have
    them: a Parquet column has a place for every field in every row. NaN is a number unset.
    """
    if isinstance(value, dict):
        # A message that calls a tool says nothing, and templates ask for its content.
        kept = {name: item for name, item in value.items() if item is not None or name == "content"}
        return {str(name): plain(item) for name, item in kept.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return str(value) if isinstance(value, _AS_TEXT) else value


def _rows_at_once(file: Any) -> int:
    facts = file.metadata
    groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
    widest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(MOST_AT_ONCE, _BATCH_BYTES // max(1, widest)))


def _line(row: dict[str, Any]) -> bytes:
    found = {name: plain(item) for name, item in row.items()}
    try:
        raw = json.dumps(
            {name: item for name, item in found.items() if item is not None},
            ensure_ascii=False,
            allow_nan=False,
        ).encode()
    except (TypeError, ValueError):
        return json.dumps("holds values that are not text or numbers").encode()
    if len(raw) > LINE_CAP:
        return json.dumps(f"is longer than {LINE_CAP // 1024 // 1024} MiB").encode()
    return raw


def _sentence(problem: Exception) -> str:
    text = " ".join(str(problem).split())[:300]
    return text if text.endswith(".") else f"{text}."


if __name__ == "__main__":
    sys.exit(main())
