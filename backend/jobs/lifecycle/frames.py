"""What the world hears of a job, whatever its kind."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from backend.core.hub import Hub

JobKindName = Literal[
    "inspection", "rendering", "fusion", "export", "evaluation", "download", "conversion",
    "benchmark", "upload",
]  # fmt: skip
_FAILED = frozenset({"error", "cancelled", "stopped", "interrupted"})


class JobData(BaseModel):
    """Work beside the runs. `progress` is from 0 to 1, null where it can't be known."""

    kind: JobKindName
    job_id: str
    state: str
    phase: str
    progress: float | None
    path: str | None = None
    error: str | None = None
    hint: str | None = None
    message: str | None = None
    repo_type: Literal["model", "dataset"] | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    bytes_per_second: float | None = None
    eta_seconds: float | None = None


def publish_job(hub: Hub, data: JobData, *fields: str) -> None:
    """Tell of a job: `job_completed` and `job_error` once it has ended, `job_progress` before.

    Beside what every job has, the named fields are told.
    """
    event = "job_progress"
    if data.state == "completed":
        event = "job_completed"
    elif data.state in _FAILED:
        event = "job_error"
    always = {"kind", "job_id", "state", "phase", "progress", "error", "hint", "message"}
    rows: dict[str, Any] = data.model_dump(mode="json", include=always | set(fields))
    hub.publish(event, rows)
