"""Starts the waiting runs, one after the other, whenever the slot is free.

However a run ended, the next one starts: a failure must not cost the night, and a user who stops
one run has not said a word about the others. `RunQueue.hold` is for those who end the whole app.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from backend.core.tasks import Tasks
from backend.errors import AppError
from backend.jobs.queue import RunQueue, WaitingRun
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.schemas import RunMetrics, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.jobs.supervisor import RunSupervisor

# Checks a waiting run as a start would, and answers how to launch it; raises AppError.
Planned = Callable[[WaitingRun], Awaitable[Recipe]]

_logger = logging.getLogger(__name__)


class Dispatcher:
    """One task that takes from the queue what the supervisor can start."""

    def __init__(
        self, queue: RunQueue, supervisor: RunSupervisor, store: SessionStore, plan: Planned
    ) -> None:
        self._queue = queue
        self._supervisor = supervisor
        self._store = store
        self._plan = plan
        self._tasks = Tasks()

    async def open(self) -> None:
        """Go on with what the last server left waiting. After the supervisor's own `open`."""
        await self._queue.open()
        for run in self._queue.all():
            # A run with a record has started once, and is never started again by itself.
            if await asyncio.to_thread(self._store.exists, run.session_id):
                await self._queue.drop(run)
        self._tasks.start(self._serve(), name="start waiting runs")

    async def close(self) -> None:
        """Start nothing more. What waits stays on disk."""
        await self._tasks.close()

    async def _serve(self) -> None:
        while True:
            await self._queue.until_next()
            await self._supervisor.slot.until_free()
            run = self._queue.next
            if run is None:
                continue
            try:
                await self._start(run)
            except Exception:  # The dispatcher's top level: a bug must not end the queue.
                _logger.exception("The waiting run %s could not be started.", run.session_id)
                await self._refuse(run, "Something unexpected went wrong; see backend.log.", None)

    async def _start(self, run: WaitingRun) -> None:
        try:
            recipe = await self._plan(run)
        except AppError as problem:
            if self._may_start(run):
                await self._refuse(run, problem.detail, problem.hint)
            return
        if not self._may_start(run):
            return
        self._queue.begin(run)
        try:
            await self._supervisor.start(recipe)
        except AppError as problem:
            await self._refuse(run, problem.detail, problem.hint)
        else:
            await self._queue.drop(run)

    def _may_start(self, run: WaitingRun) -> bool:
        """Not when it was moved, removed, held or overtaken while it was checked: look again."""
        return self._queue.next is run and self._supervisor.slot.free

    async def _refuse(self, run: WaitingRun, message: str, hint: str | None) -> None:
        """Let it end in `error`, unless it came far enough to have a record that says so."""
        if not await asyncio.to_thread(self._store.exists, run.session_id):
            now = datetime.now(UTC)
            record = SessionRecord(
                session_id=run.session_id,
                timestamp=now,
                training_state=RunState.STARTING,
                state=RunState.STARTING,
                method=run.method,
                config=dict(run.request),
                metrics=RunMetrics(total_steps=run.total_steps).model_dump(mode="json"),
                created_at=run.queued_at,
                notes=str(run.request.get("notes", "")),
            )
            await self._supervisor.refuse(record, f"The run could not start. {message}", hint)
        await self._queue.drop(run)
