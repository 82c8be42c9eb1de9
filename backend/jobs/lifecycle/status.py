"""How a job goes, as the pages of fusion and export ask for it again and again."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel

from backend.jobs.lifecycle.job import Job

StatusName = Literal["idle", "starting", "running", "completed", "stopped", "error"]


class JobStatus(BaseModel):
    """Of the job at work, or the last one. `progress` is from 0 to 100."""

    is_running: bool
    progress: float
    status: StatusName
    error: str | None
    hint: str | None = None
    current_step: str | None
    message: str | None = None
    job_id: str | None = None

    @classmethod
    def of(cls, job: Job[Any] | None, **own: Any) -> Self:
        """The status of a job, `idle` without one; `own` are the kind's own fields."""
        if job is None:
            return cls(
                is_running=False, progress=0.0, status="idle", error=None, current_step=None, **own
            )
        return cls(
            is_running=job.running,
            progress=round(100 * job.share, 1),
            status="error" if job.state == "interrupted" else job.state,
            error=job.error,
            hint=job.hint,
            current_step=job.phase,
            message=job.message,
            job_id=job.folder.id,
            **own,
        )
