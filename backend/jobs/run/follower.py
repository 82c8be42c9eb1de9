"""Read a run folder while the run lives, and to the last byte once it is gone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.run_folder import CONFIG, EVENTS, LOG
from backend.core.disk.files import JsonlTail, TextTail, read_tail
from backend.core.process import Child
from backend.jobs.run.events import Event, parse_event

__all__ = ["CONFIG", "EVENTS", "LOG", "Batch", "Follower", "all_events", "log_so_far"]

MOST_FAILURES = 50
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is new. `gone`: the process has ended; `ended`: and all of it has been read.
    `deleted`: the run's folder, when it was there no more by then.
    """

    events: list[Event]
    lines: list[str]
    gone: bool
    ended: bool
    exit_code: int | None = None
    deleted: Path | None = None


class Follower:
    """Reads what a run has said since the last `read`. Blocking: call it from a thread."""

    def __init__(
        self, folder: Path, child: Child, *, event_offset: int = 0, log_offset: int = 0
    ) -> None:
        self._child = child
        self._folder = folder
        self._events = JsonlTail(folder / EVENTS, offset=event_offset, finite=False)
        self._log = TextTail(folder / LOG, offset=log_offset)
        self._failed = 0  # Reads in a row.

    def read(self) -> Batch:
        """The news; it is complete once `ended` is true.

        What can't be read now (too many open files, say) is read the next time. Once the process
        is gone, that is tried for a few seconds only: its end must be told.
        """
        gone = not self._child.alive()  # Asked first: what it wrote before that is then complete.
        before = self._events.offset, self._log.offset
        try:
            found, lines = _understood(self._events.read()), self._log.read()
        except OSError as problem:
            self._events.offset = before[0]
            self._failed += 1
            if self._failed == 1:
                _logger.warning("%s can't be read: %s", self._events.path.parent, problem)
            given_up = gone and self._failed > MOST_FAILURES
            return Batch([], [], gone, given_up, self._child.exit_code() if given_up else None)
        self._failed = 0
        ended = gone and (self._events.offset, self._log.offset) == before
        if ended:
            lines = self._log.flush()
        if not ended:
            return Batch(found, lines, gone, ended)
        deleted = None if self._folder.is_dir() else self._folder
        return Batch(found, lines, gone, ended, self._child.exit_code(), deleted)


def all_events(folder: Path) -> tuple[list[Event], int]:
    """Every event that a run folder holds, and the byte at which to go on."""
    tail = JsonlTail(folder / EVENTS, finite=False)
    return _understood(tail.read_all()), tail.offset


def _understood(values: Iterable[Any]) -> list[Event]:
    """The events among them; shapes that this version does not know are left out."""
    parsed = map(parse_event, values)
    return [event for event in parsed if event is not None]


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
