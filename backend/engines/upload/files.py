"""The files of an export as they are sent: counted while they are read, without local folders."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from backend.contract.run.folder import LINEAGE

CARD = "README.md"
Report = Callable[[int], None]  # The place in a file up to which it is read. May raise Stopped.


class Stopped(Exception):
    """The upload was asked to end."""


class CountedFile(io.BufferedReader):
    """A file that reports how far it is read. The library reads it once to hash it, once to send
    it, and again from the start after a failure.
    """

    def __init__(self, path: Path, report: Report) -> None:
        super().__init__(io.FileIO(path))
        self._report = report

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._report(self.tell())
        return data


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """The names in the repository and their files, without hidden ones and links."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = [(path.relative_to(folder), path) for path in paths]
    return [
        (name.as_posix(), path)
        for name, path in names
        if not any(part.startswith(".") for part in name.parts)
    ]


def without_places(folder: Path) -> dict[str, bytes]:
    """The lineage and the model card as they are sent: of a folder of this machine, which can hold
    its user's name, only the last part.
    """
    sent: dict[str, bytes] = {}
    places: set[str] = set()
    lineage, card = folder / LINEAGE, folder / CARD
    if lineage.is_file():
        value = _shortened(json.loads(lineage.read_text(encoding="utf-8")), places)
        sent[LINEAGE] = json.dumps(value, indent=2, ensure_ascii=False).encode()
    if card.is_file():
        text = card.read_text(encoding="utf-8")
        for place in sorted(places, key=len, reverse=True):
            text = text.replace(place, PurePath(place).name)
        sent[CARD] = text.encode()
    return sent


def _shortened(value: Any, places: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(item, places) for name, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, places) for item in value]
    if isinstance(value, str) and PurePath(value).is_absolute() and PurePath(value).name:
        places.add(value)
        return PurePath(value).name
    return value
