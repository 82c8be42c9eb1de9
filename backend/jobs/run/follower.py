"""A run's folder: its files by name, and how what its engine writes there is read."""

from __future__ import annotations

from pathlib import Path

from backend.contract.run.folder import EVENTS, LOG
from backend.core.disk.files import JsonlTail, read_tail
from backend.core.process import Child
from backend.jobs.lifecycle.follower import Follower, parsed
from backend.jobs.run.events import Event, parse_event


def run_follower(
    folder: Path, child: Child, *, event_offset: int = 0, log_offset: int = 0
) -> Follower[Event]:
    """A follower of a run's events and its log, from these bytes on."""
    return Follower(
        folder, child, parse_event, log=LOG, event_offset=event_offset, log_offset=log_offset
    )


def all_events(folder: Path) -> tuple[list[Event], int]:
    """Every event that a run folder holds, and the byte at which to go on."""
    tail = JsonlTail(folder / EVENTS, finite=False)
    return parsed(tail.read_all(), parse_event), tail.offset


def log_so_far(folder: Path, lines: int) -> tuple[list[str], int]:
    """The last complete lines of a log, and the byte after them, where a follower goes on."""
    path = folder / LOG
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            block = min(size, 1024 * 1024)
            file.seek(size - block)
            end = size - block + file.read(block).rfind(b"\n") + 1
    except FileNotFoundError:
        return [], 0
    return read_tail(path, lines, before=end)[0], end
