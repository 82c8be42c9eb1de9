"""Uploads of exports to the Hugging Face hub: a kind of job.

No run waits for one, and it waits for none: it needs no model in memory, so its slot is its own.
"""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel

from backend.contract.jobs.upload import UploadRequest, UploadResult
from backend.contract.record import read_record, write_record
from backend.core.hub import Hub
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind
from backend.jobs.lifecycle.job import JobState
from backend.jobs.lifecycle.slot import Slot
from backend.settings import Settings

UPLOAD = JobKind(
    name="upload",
    engine="upload",
    folder="jobs/upload",
    log="upload.log",
    subject="An upload of {title}",
    reason="it needs the network",
    place="on the Models page",
    stop_route="/api/exports/upload/stop",
    stopped="The upload was stopped. Upload it again to go on: sent files are kept for a while.",
    read=partial(read_record, UploadRequest),
    title=lambda request: request.export,
    grace=3.0,  # There is nothing to save, and the network may be silent.
)


class UploadStatus(BaseModel):
    """Of the running upload, or the last one; `result` once that one has ended well."""

    state: JobState | None = None
    phase: str | None = None
    progress: float | None = None
    message: str | None = None
    error: str | None = None
    hint: str | None = None
    job_id: str | None = None
    export: str | None = None
    repo_id: str | None = None
    private: bool | None = None
    result: UploadResult | None = None


class Uploads(EngineJobs[UploadRequest]):
    """The uploads of a data root, one at a time."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        super().__init__(UPLOAD, settings, hub, slot=Slot(), make_room=_no_room)

    async def upload(self, request: UploadRequest, token: str) -> None:
        """Start one. Raises JobActive while another is active."""
        environment = {
            "HF_TOKEN": token,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",  # It neither counts bytes nor keeps to our guard.
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        await self.start(write_record(request), secrets=environment)

    def sends(self, export: str) -> bool:
        """Whether that export is being uploaded."""
        job = self.current
        return job is not None and not job.ended.is_set() and job.request.export == export

    def newest(self) -> dict[str, UploadResult]:
        """The newest finished upload of each export, by its folder. Blocking."""
        uploads: dict[str, UploadResult] = {}
        for result in self.folders.results(UploadResult):
            uploads.setdefault(result.folder, result)
        return uploads

    def status(self) -> UploadStatus:
        """Blocking."""
        job = self.current
        if job is None:
            return UploadStatus()
        return UploadStatus(
            state=job.state,
            phase=job.phase,
            progress=job.share,
            message=job.message,
            error=job.error,
            hint=job.hint,
            job_id=job.folder.id,
            export=job.title,
            repo_id=job.request.repo_id,
            private=job.request.private,
            result=job.folder.result_of(UploadResult) if job.state == "completed" else None,
        )


async def _no_room() -> None:
    """An upload holds no model, so none has to leave the memory."""
