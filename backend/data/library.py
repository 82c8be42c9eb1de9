"""The data files that are known: those in the app's folder, the demo's, and those used before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal

from backend.data.readers.data_file import SUFFIXES, read_lines
from backend.data.rows.formats import detect
from backend.data.schemas import DatasetInfo, DatasetInspection
from backend.errors import AppError
from backend.settings import CHECKOUT

DEMO = CHECKOUT / "test_data" / "demo"
MOST = 200
COUNTED = 16 * 1024**2  # Larger files are not read for the list.
LOOKED_AT = 200  # Lines in which a first row is looked for.

Source = Literal["datasets", "demo", "recent"]
Recall = Callable[[Path], DatasetInspection | None]


def list_datasets(folder: Path, recent: Iterable[str], recall: Recall) -> list[DatasetInfo]:
    """Recently used ones first, then the app's own, then the demo's; each path once."""
    found: dict[str, DatasetInfo] = {}
    for source, path in _known(folder, recent):
        key = os.path.realpath(path)
        if key not in found and len(found) < MOST:
            found[key] = _describe(path, source, recall)
    return list(found.values())


def _known(folder: Path, recent: Iterable[str]) -> Iterator[tuple[Source, Path]]:
    for given in recent:
        path = Path(given).expanduser()
        if path.is_absolute() and path.exists():
            yield "recent", _training_file(path)
    for path in _inside(folder):
        yield "datasets", path
    for path in _inside(DEMO):
        if path.name == "train.jsonl":  # The prompts beside them are no training data.
            yield "demo", path


def _inside(folder: Path) -> Iterator[Path]:
    """Files of a known kind, and folders that hold a training file."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except OSError:
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir() and (path / "train.jsonl").is_file():
            yield path / "train.jsonl"
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            yield path


def _training_file(path: Path) -> Path:
    return path / "train.jsonl" if path.is_dir() else path


def _describe(path: Path, source: Source, recall: Recall) -> DatasetInfo:
    info = DatasetInfo(
        name=path.parent.name if path.name == "train.jsonl" else path.name,
        path=str(path),
        source=source,
        format=None,
        rows=None,
        size_bytes=None,
        modified=None,
        has_valid=(path.parent / "valid.jsonl").is_file() and path.name != "valid.jsonl",
        has_test=(path.parent / "test.jsonl").is_file() and path.name != "test.jsonl",
        problem=None,
    )
    try:
        status = path.stat()
        info.size_bytes = status.st_size
        info.modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
        known = recall(path)
        if known is not None:
            info.format, info.rows = known.format, known.rows
            return info
        info.format = _first_format(path, status.st_size, status.st_mtime_ns)
        info.rows = _rows(path, status.st_size)
    except OSError as problem:
        info.problem = f"The file can't be read: {problem.strerror}."
    except AppError as refusal:
        info.problem = refusal.detail
    return info


@lru_cache(maxsize=MOST)
def _first_format(path: Path, _size: int, _modified: int) -> str | None:
    """Remembered until the file changes: a look into a Parquet file costs a process."""
    for line in islice(read_lines(path), LOOKED_AT):
        if line.row is not None:
            return detect(line.row)
    return None


def _rows(path: Path, size: int) -> int | None:
    if path.suffix.lower() != ".jsonl" or size > COUNTED:
        return None
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
