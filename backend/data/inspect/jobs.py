"""Inspections that take long: started, followed over the event stream, cancelled."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext

from backend.core.hub import Hub
from backend.data.inspect.inspector import Doctor
from backend.data.readers.data_file import data_file
from backend.data.schemas import DatasetJob, InspectRequest
from backend.errors import AppError, NotFound
from backend.models.schemas import ModelInfo

KEPT = 32
AT_ONCE = 1.0  # Seconds in which a small file is done, so that its answer needs no second call.
SMALL = 32_000_000  # Bytes that are read within a few seconds.
_logger = logging.getLogger(__name__)


class InspectionJobs:
    """Large files one at a time: two readers of the same disk are slower than one after the other.

    A small one does not wait for a large one, which may take minutes.
    """

    def __init__(self, doctor: Doctor, hub: Hub) -> None:
        self._doctor = doctor
        self._hub = hub
        self._jobs: OrderedDict[str, DatasetJob] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Semaphore(1)

    async def start(self, request: InspectRequest, model: ModelInfo | None) -> DatasetJob:
        """Begin, and answer after a second at the latest: small files are done by then."""
        job = DatasetJob(
            job_id=secrets.token_hex(8),
            state="waiting",
            phase="waiting",
            progress=None,
            path=request.path,
        )
        self._jobs[job.job_id] = job
        while len(self._jobs) > KEPT:
            old, _ = self._jobs.popitem(last=False)
            self._drop(old)
        turn = self._turn if await asyncio.to_thread(_is_large, request.path) else nullcontext()
        work = self._run(job, request, model, turn)
        task = asyncio.create_task(work, name=f"inspect {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.job_id, None))
        await asyncio.wait({task}, timeout=AT_ONCE)
        return job

    def find(self, job_id: str) -> DatasetJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id[:40]!r}.", hint="Start the inspection again.")
        return job

    async def cancel(self, job_id: str) -> DatasetJob:
        """End it; one that is over stays as it is."""
        job = self.find(job_id)
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        return job

    async def close(self) -> None:
        for job_id in list(self._tasks):
            await self.cancel(job_id)

    def _drop(self, job_id: str) -> None:
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()

    async def _run(
        self,
        job: DatasetJob,
        request: InspectRequest,
        model: ModelInfo | None,
        turn: AbstractAsyncContextManager[None],
    ) -> None:
        try:
            async with turn:
                job.state = "running"
                job.result = await self._doctor.inspect(
                    request,
                    model,
                    patient=True,
                    report=lambda phase, share: self._report(job, phase, share),
                )
            job.state, job.phase, job.progress = "completed", "done", 1.0
            self._say("job_completed", job)
        except asyncio.CancelledError:
            job.state, job.phase, job.error = "cancelled", "cancelled", "The job was cancelled."
            self._say("job_error", job)
            raise
        except AppError as refusal:
            self._failed(job, refusal.detail, refusal.hint)
        except Exception:
            _logger.exception("The inspection of %s failed.", job.path)
            self._failed(job, "Something went wrong inside the server; its log says more.", None)

    def _failed(self, job: DatasetJob, error: str, hint: str | None) -> None:
        job.state, job.phase, job.error, job.hint = "error", "failed", error, hint
        self._say("job_error", job)

    def _report(self, job: DatasetJob, phase: str, share: float | None) -> None:
        if (phase, share) == (job.phase, job.progress):
            return
        job.phase, job.progress = phase, share
        self._say("job_progress", job)

    def _say(self, kind: str, job: DatasetJob) -> None:
        self._hub.publish(kind, job.model_dump(mode="json", exclude={"result"}))


def _is_large(path: str) -> bool:
    """What can't be read is refused by the inspection itself, in its own words."""
    try:
        return data_file(path).stat().st_size > SMALL
    except (AppError, OSError):
        return False
