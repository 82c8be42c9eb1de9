"""Stamps: what a folder was made from, so that only what is out of date is made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

_NAME = ".droid-stamp.json"
_SKIPPED = frozenset({"node_modules", "dist", "release", "coverage"})


def digest(paths: Iterable[Path], *, extra: str = "") -> str:
    """One hash over the names and contents of files, and of all files in folders."""
    total = hashlib.sha256(extra.encode())
    for path in paths:
        for file in _files(path):
            total.update(f"\0{file.relative_to(CHECKOUT).as_posix()}\0".encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir() and path.name not in _SKIPPED:
        for inner in sorted(path.iterdir()):
            if not inner.name.startswith("."):
                yield from _files(inner)


def read_stamp(folder: Path) -> dict[str, str]:
    """What `folder` was made from; empty when nothing is known."""
    try:
        found = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(folder: Path, **facts: str) -> None:
    (folder / _NAME).write_text(json.dumps(facts), encoding="utf-8")


def drop_stamp(folder: Path) -> None:
    """Forget it before the work begins: a broken-off step is then made again."""
    (folder / _NAME).unlink(missing_ok=True)
