"""Exports: a kind of job."""

from __future__ import annotations

from functools import partial

from backend.contract.export.request import STAGING, ExportRequest
from backend.contract.record import read_record
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind

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
    staging=lambda request: request.staging,
    staging_name=STAGING,
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
