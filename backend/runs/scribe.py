"""Write a run's record, tell the world: in that order, one write at a time."""

from __future__ import annotations

import asyncio
import logging

from pydantic import BaseModel

from backend.core.hub import Hub
from backend.errors import AppError
from backend.runs.live import LiveRun
from backend.runs.progress import thin_series
from backend.runs.schemas import Alert, QueuedRun, TrainingStateData
from backend.runs.store import SessionStore

SNAPSHOT_POINTS = 5000

_SAVE_EVERY = 1.0  # Seconds between two saves for nothing but new metrics.
_logger = logging.getLogger(__name__)


class Scribe:
    """The supervisor's hand: `save` before `say`."""

    def __init__(self, store: SessionStore, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._lock = asyncio.Lock()
        self._saved_at = 0.0
        self._failed = False

    async def save(self, run: LiveRun) -> None:
        """Write the record as it is now. A full disk is told, once, and the run goes on."""
        async with self._lock:
            run.note_metrics()
            self._saved_at = asyncio.get_running_loop().time()
            try:
                await asyncio.to_thread(self._store.save, run.record.model_copy(deep=True))
            except (OSError, AppError) as problem:
                self._tell_failure(run, problem)
            else:
                self._failed = False

    async def saved(self) -> None:
        """Wait for a save that is under way, so that what is answered is on disk too."""
        async with self._lock:
            pass

    async def save_metrics(self, run: LiveRun) -> None:
        """Write the record if the last time is more than a second ago."""
        if asyncio.get_running_loop().time() - self._saved_at > _SAVE_EVERY:
            await self.save(run)

    def say(self, run: LiveRun, kind: str, data: BaseModel) -> None:
        self._hub.publish(kind, data, session_id=run.session_id)

    async def say_all(self, run: LiveRun, queue: list[QueuedRun]) -> None:
        """Tell everything anew, where telling what changed would be a flood."""
        captured = run.snapshot(self._hub.seq, queue)
        self.say(run, "training_state", await asyncio.to_thread(thinned, captured))

    def _tell_failure(self, run: LiveRun, problem: OSError | AppError) -> None:
        _logger.warning("The record of %s could not be saved: %s", run.session_id, problem)
        if self._failed:
            return
        self._failed = True
        alert = Alert(
            level="warning",
            code="record_not_saved",
            message=f"The session's record could not be saved: {problem}.",
            hint="Free some disk space. The run itself goes on, and keeps its own events.",
        )
        run.progress.alerts.append(alert)
        self.say(run, "training_alert", alert)


def thinned(snapshot: TrainingStateData) -> TrainingStateData:
    """The snapshot with at most SNAPSHOT_POINTS rows in each table."""
    series = thin_series(snapshot.series, SNAPSHOT_POINTS)
    return snapshot.model_copy(update={"series": series})
