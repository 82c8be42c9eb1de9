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
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet

from backend.contract.plain_values import plain_row
from backend.data.readers.jsonl import LINE_CAP

MOST_AT_ONCE = 256
_BATCH_BYTES = 8 * 1024**2  # What a batch should come to, by the average row of the file.
_BUFFER = 256 * 1024  # With a buffer, a column is read piece by piece instead of whole.


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


def _rows_at_once(file: Any) -> int:
    facts = file.metadata
    groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
    widest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(MOST_AT_ONCE, _BATCH_BYTES // max(1, widest)))


def _line(row: dict[str, Any]) -> bytes:
    try:
        raw = json.dumps(plain_row(row), ensure_ascii=False, allow_nan=False).encode()
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
