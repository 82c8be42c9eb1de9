"""The folded events of the runs that were last asked for, so that only new bytes are read again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backend.contract.run.folder import EVENTS
from backend.jobs.run.follower import fold_events
from backend.jobs.run.progress import Progress

HELD = 2  # A run of 100,000 reports takes 30 MB.
T = TypeVar("T")


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
