"""The runs that wait for the slot, in order; a file, so that they survive the server.

What is waiting is no session yet: it has no folder and no record until it starts.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.core.disk.disk_errors import disk_refusals
from backend.core.disk.files import write_json
from backend.core.disk.notices import Notices
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.core.hub import Hub
from backend.core.news import News
from backend.errors import AlreadyExists, FieldProblem, NotFound, WrongState
from backend.jobs import frames
from backend.jobs.run.schemas import QueuedRun

FILE = "queue.json"

_logger = logging.getLogger(__name__)


class WaitingRun(QueuedRun):
    """A queued run with the request it came as. `overwrite` is the request's own."""

    request: dict[str, Any]
    overwrite: bool = False

    def shown(self) -> QueuedRun:
        return QueuedRun.model_validate(self.model_dump(include=set(QueuedRun.model_fields)))


class _Stored(BaseModel):
    schema_version: int = 1
    queue: list[WaitingRun] = []


class RunQueue:
    """Every change is on disk before it is told. Used on the event loop's thread only."""

    def __init__(self, sessions_dir: Path, hub: Hub, *, notices: Notices | None = None) -> None:
        self._path = sessions_dir / FILE
        self._notices = notices or Notices(sessions_dir.parent)
        self._hub = hub
        self._runs: list[WaitingRun] = []
        self._starting: str | None = None
        self._held = False
        self._lock = asyncio.Lock()
        self._news = News()

    async def open(self) -> None:
        """Read what the last server left waiting. A file that can't be read is set aside."""
        self._runs = await asyncio.to_thread(self._read)

    def shown(self) -> list[QueuedRun]:
        """What waits, the next one first; a run that is being started waits no more."""
        return [run.shown() for run in self._waiting()]

    @property
    def next(self) -> WaitingRun | None:
        """The run to start when the slot is free; None while the queue is empty or held."""
        waiting = self._waiting()
        return waiting[0] if waiting and not self._held else None

    async def until_next(self) -> None:
        """Wait until there is a run to start."""
        await self._news.until(lambda: self.next is not None)

    def all(self) -> list[WaitingRun]:
        return list(self._runs)

    # -- what a user does -------------------------------------------------------------------

    async def add(self, run: WaitingRun) -> int:
        """Put a run at the end; answers its position, from 1. Lets a held queue go on.

        Raises AlreadyExists when a run of that adapter name waits already, unless it overwrites.
        """
        async with self._lock:
            if not run.overwrite and any(run.adapter_name == o.adapter_name for o in self._runs):
                text = f"A run that writes the adapter {run.adapter_name!r} is waiting already."
                raise AlreadyExists(
                    text,
                    hint="Choose another name, or turn on Overwrite.",
                    errors=[FieldProblem("adapter_name", text)],
                )
            await self._set([*self._runs, run])
            self.release()
            return len(self._waiting())

    async def move(self, session_id: str, position: int) -> None:
        """Put a waiting run at `position`, from 1; beyond the end means last. Raises NotFound."""
        async with self._lock:
            run = self._find(session_id)
            others = [other for other in self._waiting() if other is not run]
            others.insert(position - 1, run)
            starting = [other for other in self._runs if other.session_id == self._starting]
            await self._set(starting + others)

    async def remove(self, session_id: str) -> None:
        """Take a waiting run out; nothing of it is left. Raises NotFound."""
        async with self._lock:
            run = self._find(session_id)
            await self._set([other for other in self._runs if other is not run])

    def hold(self) -> None:
        """Start nothing more until a run is added or the server starts again."""
        self._held = True

    def release(self) -> None:
        self._held = False
        self._news.tell()

    # -- what the dispatcher does -----------------------------------------------------------

    def begin(self, run: WaitingRun) -> None:
        """From here on it can't be moved or removed; on disk it stands until `drop`."""
        self._starting = run.session_id
        self._tell()

    async def drop(self, run: WaitingRun) -> None:
        """It has a record now, or has come to nothing."""
        async with self._lock:
            waiting = self._waiting()
            left = [other for other in self._runs if other.session_id != run.session_id]
            try:
                await asyncio.to_thread(self._write, left)
            except OSError as problem:  # Its record says that it began; see Dispatcher.open.
                _logger.warning("The queue could not be saved: %s", problem)
            self._runs, self._starting = left, None
            if self._waiting() != waiting:
                self._tell()

    # -- helpers ----------------------------------------------------------------------------

    def _waiting(self) -> list[WaitingRun]:
        return [run for run in self._runs if run.session_id != self._starting]

    def _find(self, session_id: str) -> WaitingRun:
        waiting_run = next((run for run in self._waiting() if run.session_id == session_id), None)
        if waiting_run is not None:
            return waiting_run
        if session_id == self._starting:
            raise WrongState(f"The run {session_id} is starting just now.", hint="Stop it instead.")
        raise NotFound(
            f"No run {session_id[:120]!r} is waiting.",
            hint="It may have started. GET /training/queue lists those that wait.",
        )

    async def _set(self, runs: list[WaitingRun]) -> None:
        with disk_refusals(self._path.parent):
            await asyncio.to_thread(self._write, runs)
        self._runs = runs
        self._tell()

    def _write(self, runs: list[WaitingRun]) -> None:
        write_json(self._path, _Stored(queue=runs).model_dump(mode="json"))

    def _read(self) -> list[WaitingRun]:
        try:
            return read_model(self._path, _Stored).queue
        except FileNotFoundError:
            return []
        except DamagedFile as damage:
            consequence = "The runs that waited in it are not started; queue them again."
            try:
                self._notices.set_aside(self._path, damage.detail, consequence)
            except OSError:  # Nothing can be written beside it either, then.
                self._notices.report(self._path, damage.detail, consequence)
            return []

    def _tell(self) -> None:
        self._hub.publish("queue_changed", frames.QueueData(queue=self.shown()))
        self._news.tell()
