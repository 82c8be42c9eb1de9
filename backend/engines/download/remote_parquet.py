"""A Parquet file of the hub: its number of rows, and the first of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet

from backend.contract.plain_values import plain_row
from backend.engines.download.remote_file import RemoteFile

_BUFFER = 64 * 1024  # With a buffer, a column is read piece by piece instead of whole.


class UnreadableParquet(Exception):
    """It is damaged, or of a kind that this version does not know."""


def first_rows(remote: RemoteFile, count: int) -> Iterator[Mapping[str, Any]]:
    """At least `count` rows from the first on, if it has so many. Raises UnreadableParquet."""
    try:
        with parquet.ParquetFile(remote, buffer_size=_BUFFER, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=count, use_threads=False):
                for row in batch.to_pylist():
                    yield plain_row(row)
    except arrow.ArrowException as problem:
        raise UnreadableParquet(" ".join(str(problem).split())[:200]) from problem


def number_of_rows(remote: RemoteFile) -> int:
    """As its index says. Raises UnreadableParquet."""
    try:
        return int(parquet.read_metadata(remote).num_rows)
    except arrow.ArrowException as problem:
        raise UnreadableParquet(" ".join(str(problem).split())[:200]) from problem
