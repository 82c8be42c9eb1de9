"""Read a run folder while the run lives, and to the last byte once it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.core.files import JsonlTail, TextTail, read_tail
from backend.core.process import Child
from backend.runs.events import Event, parse_event

EVENTS = "events.jsonl"
LOG = "train.log"
CONFIG = "config.yaml"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is new. `gone`: the process has ended; `ended`: and all of it has been read."""

    events: list[Event]
    lines: list[str]
    gone: bool
    ended: bool
    exit_code: int | None = None


class Follower:
    """Reads what a run has said since the last `read`. Blocking: call it from a thread."""

    def __init__(
        self, folder: Path, child: Child, *, event_offset: int = 0, log_offset: int = 0
    ) -> None:
        self._child = child
        self._events = JsonlTail(folder / EVENTS, offset=event_offset)
        self._log = TextTail(folder / LOG, offset=log_offset)

    def read(self) -> Batch:
        """The news; it is complete once `ended` is true."""
        gone = not self._child.alive()  # Asked first: what it wrote before that is then complete.
        before = self._events.offset, self._log.offset
        found, lines = read_events(self._events), self._log.read()
        ended = gone and (self._events.offset, self._log.offset) == before
        if ended:
            lines = self._log.flush()
        return Batch(found, lines, gone, ended, self._child.exit_code() if ended else None)


def read_events(tail: JsonlTail) -> list[Event]:
    """The new events of a tail; shapes that this version does not know are left out."""
    parsed = (parse_event(raw) for raw in tail.read())
    return [event for event in parsed if event is not None]


def all_events(folder: Path) -> tuple[list[Event], int]:
    """Every event that a run folder holds, and the byte at which to go on."""
    tail = JsonlTail(folder / EVENTS)
    found: list[Event] = []
    while True:
        before = tail.offset
        found += read_events(tail)
        if tail.offset == before:
            return found, tail.offset


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
