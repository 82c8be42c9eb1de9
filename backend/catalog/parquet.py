"""Read the rows of a Parquet file where pyarrow is installed, and say what to do where it is not.

pyarrow is 165 MB installed, so it is no dependency, and nothing lighter that is kept up reads
nested columns (docs/decisions/0010-data-files-are-read-once.md).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.catalog.jsonl import Line, encodable
from backend.errors import BadContent

_AT_ONCE = 256


def read_parquet(path: Path) -> Iterator[Line]:
    """Every row. Raises BadContent where the file can't be read here."""
    if importlib.util.find_spec("pyarrow") is None:
        raise BadContent(
            f"{path.name} is a Parquet file, and reading those needs the package pyarrow, "
            "which is not installed.",
            hint="Install pyarrow into the app's Python environment, or turn the file into JSON "
            f"lines: duckdb -c \"COPY '{path.name}' TO '{path.stem}.jsonl'\".",
        )
    parquet: Any = importlib.import_module("pyarrow.parquet")
    arrow: Any = importlib.import_module("pyarrow")
    try:
        number = 0
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_AT_ONCE):
                for value in batch.to_pylist():
                    number += 1
                    yield _line(number, value)
    except (arrow.ArrowException, ValueError) as problem:
        raise BadContent(f"{path.name} is not a readable Parquet file: {problem}.") from problem


def _line(number: int, value: dict[str, Any]) -> Line:
    # A column that a row has no value in is None, which JSON lines leave out.
    row = {name: item for name, item in value.items() if item is not None}
    try:
        raw = json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):
        return Line(number, None, "holds values that are not text or numbers", b"", clean=False)
    if not encodable(row):
        return Line(number, None, "has half of a character", b"", clean=False)
    return Line(number, row, None, raw, clean=False)
