"""Read a job's folder while its process lives, and to the last byte once it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from backend.contract.run.folder import EVENTS
from backend.core.disk.files import JsonlTail, TextTail
from backend.core.process import Child, kill

TICK = 0.1  # Seconds between two looks into a folder.
MOST_FAILURES = 50

E = TypeVar("E")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch(Generic[E]):
    """What is new. `gone`: the process has ended; `ended`: and all of it has been read.
    `deleted`: the job's folder, when it was there no more by then.
    """

    events: list[E]
    lines: list[str]
    gone: bool
    ended: bool
    exit_code: int | None = None
    deleted: Path | None = None


class Follower(Generic[E]):
    """Reads what a child has written since the last `read`. Blocking: call it from a thread.

    `parse` answers None for what this version does not know; that is left out.
    """

    def __init__(
        self,
        folder: Path,
        child: Child,
        parse: Callable[[Any], E | None],
        *,
        log: str | None = None,
        event_offset: int = 0,
        log_offset: int = 0,
    ) -> None:
        self.child = child
        self._folder = folder
        self._parse = parse
        self._events = JsonlTail(folder / EVENTS, offset=event_offset, finite=False)
        self._log = TextTail(folder / log, offset=log_offset) if log is not None else None
        self._failed = 0  # Reads in a row.

    def read(self) -> Batch[E]:
        """The news; it is complete once `ended` is true.

        What can't be read now (too many open files, say) is read the next time. Once the process
        is gone, that is tried for a few seconds only: its end must be told.
        """
        gone = not self.child.alive()  # Asked first: what it wrote before that is then complete.
        before = self._offsets()
        try:
            events = parse_events(self._events.read(), self._parse)
            lines = self._log.read() if self._log is not None else []
        except OSError as problem:
            self._events.offset = before[0]
            self._failed += 1
            if self._failed == 1:
                _logger.warning("%s can't be read: %s", self._events.path.parent, problem)
            given_up = gone and self._failed > MOST_FAILURES
            return Batch([], [], gone, given_up, self.child.exit_code() if given_up else None)
        self._failed = 0
        if not gone or self._offsets() != before:
            return Batch(events, lines, gone, ended=False)
        rest = self._log.flush() if self._log is not None else []
        deleted = None if self._folder.is_dir() else self._folder
        return Batch(events, rest, gone, True, self.child.exit_code(), deleted)

    def _offsets(self) -> tuple[int, int]:
        return self._events.offset, self._log.offset if self._log is not None else 0


def parse_events(values: Iterable[Any], parse: Callable[[Any], E | None]) -> list[E]:
    """The events among the values; shapes that this version does not know are left out."""
    return [event for event in map(parse, values) if event is not None]


async def follow(
    follower: Follower[E],
    take: Callable[[Batch[E]], Awaitable[None]],
    *,
    reader: Executor | None = None,
    tick: Callable[[], float] = lambda: TICK,
) -> Batch[E]:
    """Hand every batch to `take` until the process is gone and all is read; answer the last one.

    What the process started and left behind is ended then. `reader` is the thread that reads, of
    the shared pool unless given.
    """
    loop = asyncio.get_running_loop()
    while True:
        batch = await loop.run_in_executor(reader, follower.read)
        await take(batch)
        if batch.ended:
            await asyncio.to_thread(kill, follower.child.identity)
            return batch
        if not batch.gone or not (batch.events or batch.lines):
            await asyncio.sleep(tick())
