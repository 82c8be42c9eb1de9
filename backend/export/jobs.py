"""Exports: a kind of job."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from backend.contract.export.request import STAGING, ExportRequest
from backend.contract.record import read_record
from backend.core.disk.removal import named, remove
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind


def _clean_up(request: ExportRequest) -> None:
    staging = Path(request.staging)
    if os.path.lexists(staging):
        remove(staging, inside=staging.parent, own=named(STAGING))


EXPORT = JobKind(
    name="export",
    engine="export",
    folder="jobs/export",
    log="export.log",
    subject="An export of {title}",
    reason="its model needs the memory",
    place="under Fusion",
    stop_route="/api/fusion/export-stop",
    stopped="The export was stopped; nothing was written.",
    read=partial(read_record, ExportRequest),
    title=lambda request: request.adapter_name or request.model,
    clean_up=_clean_up,
)

Exports = EngineJobs[ExportRequest]


def exports_adapter(exports: Exports, name: str) -> bool:
    """Whether an export at work reads the adapter of that name."""
    job = exports.current
    return job is not None and job.running and job.request.adapter_name == name


def exported_models(exports: Exports) -> list[str]:
    """The folder of the model that the one at work loads, if one is."""
    job = exports.current
    return [job.request.model] if job is not None and job.running else []
