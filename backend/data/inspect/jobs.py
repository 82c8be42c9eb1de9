"""Inspections that take long: started, followed over the event stream, cancelled."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from backend.core.hub import Hub
from backend.data.inspect.inspector import Doctor
from backend.data.readers.data_file import data_file
from backend.data.schemas import DatasetJob, InspectRequest
from backend.errors import AppError, NotFound
from backend.jobs.lifecycle.frames import JobData, publish_job
from backend.jobs.lifecycle.task_jobs import JobTasks, failure_of
from backend.models.schemas import ModelInfo

KEPT = 32
AT_ONCE = 1.0  # Seconds in which a small file is done, so that its answer needs no second call.
SMALL = 32_000_000  # Bytes that are read within a few seconds.


class InspectionJobs:
    """Large files one at a time: two readers of the same disk are slower than one after the other.

    A small one does not wait for a large one, which may take minutes.
    """

    def __init__(self, doctor: Doctor, hub: Hub) -> None:
        self._doctor = doctor
        self._hub = hub
        self._jobs: OrderedDict[str, DatasetJob] = OrderedDict()
        self._tasks = JobTasks("inspection")
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
            await self._tasks.cancel(old)
        turn = self._turn if await asyncio.to_thread(_is_large, request.path) else nullcontext()
        work = self._run(job, request, model, turn)
        await asyncio.wait({self._tasks.start(job.job_id, work)}, timeout=AT_ONCE)
        return job

    def find(self, job_id: str) -> DatasetJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id[:40]!r}.", hint="Start the inspection again.")
        return job

    async def cancel(self, job_id: str) -> DatasetJob:
        """End it; one that is over stays as it is."""
        job = self.find(job_id)
        await self._tasks.cancel(job_id)
        return job

    async def close(self) -> None:
        await self._tasks.close()

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
            self._publish(job)
        except asyncio.CancelledError:
            job.state, job.phase, job.error = "cancelled", "cancelled", "The job was cancelled."
            self._publish(job)
            raise
        except Exception as problem:  # noqa: BLE001 - told whatever it is; a bug is logged
            failure = failure_of(problem, f"The inspection of {job.path}", Path(job.path))
            job.state, job.phase = "error", "failed"
            job.error, job.hint = failure.message, failure.hint
            self._publish(job)

    def _report(self, job: DatasetJob, phase: str, share: float | None) -> None:
        if (phase, share) == (job.phase, job.progress):
            return
        job.phase, job.progress = phase, share
        self._publish(job)

    def _publish(self, job: DatasetJob) -> None:
        data = JobData.model_validate(job.model_dump(exclude={"result"}))
        publish_job(self._hub, data, "path")


def _is_large(path: str) -> bool:
    """What can't be read is refused by the inspection itself, in its own words."""
    try:
        return data_file(path).stat().st_size > SMALL
    except (AppError, OSError):
        return False
