"""Write a run's record, tell the world: in that order, one write at a time."""

from __future__ import annotations

import asyncio
import logging

from pydantic import BaseModel

from backend.core.disk.disk_errors import disk_refusal
from backend.core.hub import Hub
from backend.core.tasks import Tasks
from backend.errors import AppError
from backend.jobs.live_run import LiveRun
from backend.jobs.run.progress import thin_series
from backend.jobs.run.schemas import Alert, QueuedRun, TrainingStateData
from backend.jobs.run.store import SessionStore

SNAPSHOT_POINTS = 5000
REPEAT_EVERY = 2.0  # Seconds between two tries to save what could not be saved.

_SAVE_EVERY = 1.0  # Seconds between two saves for nothing but new metrics.
_logger = logging.getLogger(__name__)


class Scribe:
    """The supervisor's hand: `save` before `say`.

    A record that can't be written is shown from memory, and written again and again until it is on
    disk: a run that ends on a full disk has ended for everybody.
    """

    def __init__(self, store: SessionStore, hub: Hub, tasks: Tasks) -> None:
        self._store = store
        self._hub = hub
        self._tasks = tasks
        self._lock = asyncio.Lock()
        self._saved_at = 0.0
        self._repeating = False

    async def save(self, run: LiveRun) -> None:
        """Write the record as it is now. A full disk is told, once, and the run goes on."""
        async with self._lock:
            run.note_metrics()
            self._saved_at = asyncio.get_running_loop().time()
            record = run.record.model_copy(deep=True)
            try:
                await asyncio.to_thread(self._store.save, record)
            except OSError as problem:
                await asyncio.to_thread(self._store.save_later, record)
                self._repeat(run, disk_refusal(problem) or problem)
            except AppError as problem:  # A damaged record, which is never overwritten.
                _logger.warning("The record of %s was not saved: %s", run.session_id, problem)

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

    def _repeat(self, run: LiveRun, problem: OSError | AppError) -> None:
        if self._repeating:
            return
        self._repeating = True
        _logger.warning("The record of %s could not be saved: %s", run.session_id, problem)
        alert = Alert(
            level="warning",
            code="record_not_saved",
            message=f"The session's record could not be saved. {problem}",
            hint="Free some disk space: it is saved as soon as there is room. The run itself goes "
            "on, and keeps its own events.",
        )
        self.tell(run, alert)
        self._tasks.start(self._save_pending(run), name="save what could not be saved")

    async def _save_pending(self, run: LiveRun) -> None:
        saved = False
        while not saved:
            await asyncio.sleep(REPEAT_EVERY)
            async with self._lock:
                try:
                    saved = await asyncio.to_thread(self._store.save_pending)
                except OSError as problem:
                    _logger.debug("A record can still not be saved: %s", problem)
                if saved:
                    self._repeating = False
        _logger.info("The records that could not be saved are saved.")
        message = "The session's record is saved now."
        self.tell(run, Alert(level="info", code="record_saved", message=message))

    def tell(self, run: LiveRun, alert: Alert) -> None:
        """Tell of something that is no event of the run."""
        run.progress.alerts.append(alert)
        self.say(run, "training_alert", alert)


def thinned(snapshot: TrainingStateData) -> TrainingStateData:
    """The snapshot with at most SNAPSHOT_POINTS rows in each table."""
    series = thin_series(snapshot.series, SNAPSHOT_POINTS)
    return snapshot.model_copy(update={"series": series})
