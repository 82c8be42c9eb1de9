"""What the run's process and its ranks exchange: words on stdin, and how each rank ended."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.contract.record import BadRecord, read_record, write_record
from backend.core.disk.files import write_json
from backend.core.disk.removal import named, remove
from backend.engines.process.endings import Ending

SAVE, DISCARD, PAUSE, RESUME = "save", "discard", "pause", "resume"
_NAME = re.compile(r"rank-(\d+)\.json")


@dataclass(frozen=True, kw_only=True)
class RankEnding:
    """How a rank ended; `lost`: only because another one was gone."""

    state: Literal["completed", "stopped", "error"]
    message: str
    hint: str | None = None
    saved: bool = False
    lost: bool = False

    @property
    def ending(self) -> Ending:
        return Ending(self.state, self.message, self.hint, self.saved)


def write_ending(folder: Path, rank: int, ending: Ending, *, lost: bool = False) -> None:
    """Leave it in the run's folder, where there is one: another machine need not have it."""
    if not folder.is_dir():
        return
    record = RankEnding(
        state=ending.state, message=ending.message, hint=ending.hint, saved=ending.saved, lost=lost
    )
    write_json(folder / f"rank-{rank}.json", write_record(record))


def take_endings(folder: Path) -> dict[int, RankEnding]:
    """What the ranks have left, by rank; their files are removed."""
    endings: dict[int, RankEnding] = {}
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        with suppress(BadRecord, ValueError):  # Cut short: its rank is known by its exit code.
            endings[int(match[1])] = read_record(RankEnding, json.loads(path.read_bytes()))
        remove(path, inside=folder, own=named(_NAME))
    return endings
