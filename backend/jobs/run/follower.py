"""A run's folder: its files by name, and how what its engine writes there is read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic_core import from_json

from backend.contract.run.folder import EVENTS, LOG
from backend.core.disk.files import JsonlTail, read_tail
from backend.core.disk.stored_files import parse_json
from backend.core.process import Child
from backend.jobs.lifecycle.follower import Follower
from backend.jobs.run.events import Event, parse_event
from backend.jobs.run.progress import Progress

HELD = 2  # A run of 100,000 reports takes 30 MB.
T = TypeVar("T")


def run_follower(
    folder: Path, child: Child, *, event_offset: int = 0, log_offset: int = 0
) -> Follower[Event]:
    """A follower of a run's events and its log, from these bytes on."""
    return Follower(
        folder, child, parse_event, log=LOG, event_offset=event_offset, log_offset=log_offset
    )


class EventSink(Protocol):
    """What takes in a run's events. `apply_report` may take a report's JSON as it is, and then
    answers true.
    """

    def apply_report(self, raw: Mapping[str, Any]) -> bool: ...
    def apply(self, event: Event) -> None: ...


def fold_events(folder: Path, sink: EventSink, *, offset: int = 0) -> int:
    """Feed the events of a run folder to `sink`, from a byte on; answers the byte at which to go
    on. Blocking. Raises OSError.
    """

    def take(line: bytes) -> None:
        try:
            raw = from_json(line)  # Three times as fast, and as exact.
        except ValueError:
            raw = None
        if isinstance(raw, dict) and sink.apply_report(raw):
            return
        event = parse_event(parse_json(line.decode("utf-8", errors="replace"), finite=False))
        if event is not None:
            sink.apply(event)

    tail = JsonlTail(folder / EVENTS, offset=offset, parse=take)
    for _ in tail.read_all():
        pass
    return tail.offset


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


@dataclass(slots=True)
class _Folded:
    inode: int
    offset: int
    progress: Progress


class FoldedEvents:
    """Progress of runs by their folders. Blocking; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[Path, _Folded] = OrderedDict()

    def read(self, folder: Path, view: Callable[[Progress], T]) -> T:
        """What `view` makes of the run's progress, which goes on growing: it must copy.

        Raises OSError where the events can't be read.
        """
        try:
            stat = (folder / EVENTS).stat()
        except FileNotFoundError:
            return view(Progress())
        with self._lock:
            folded = self._held.pop(folder, None)
            if folded is None or folded.inode != stat.st_ino or folded.offset > stat.st_size:
                folded = _Folded(stat.st_ino, 0, Progress())
            folded.offset = fold_events(folder, folded.progress, offset=folded.offset)
            self._held[folder] = folded
            while len(self._held) > HELD:
                self._held.popitem(last=False)
            return view(folded.progress)
