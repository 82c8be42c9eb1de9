"""Fusions: a kind of job."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from backend.contract.jobs.fusion import STAGING, FusionRequest
from backend.contract.record import read_record
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind


def _title(request: FusionRequest) -> str:
    names = [source.name for source in request.sources]
    return f"{', '.join(names[:-1])} and {names[-1]}"


FUSION = JobKind(
    name="fusion",
    engine="fusion",
    folder="jobs/fusion",
    log="fusion.log",
    subject="A fusion of {title}",
    reason="its model needs the memory",
    place="under Fusion",
    stop_route="/api/fusion/stop",
    stopped="The fusion was stopped; nothing was written.",
    read=partial(read_record, FusionRequest),
    title=_title,
    staging=lambda request: request.staging,
    staging_name=STAGING,
)

Fusions = EngineJobs[FusionRequest]


def uses_adapter(fusions: Fusions, name: str) -> bool:
    """Whether a fusion at work reads the adapter of that name, or writes it."""
    job = fusions.current
    if job is None or not job.running:
        return False
    sources = {source.name for source in job.request.sources}
    return name in sources | {Path(job.request.output).name}


def fused_models(fusions: Fusions) -> list[str]:
    """The folder of the model that the one at work loads, if one is."""
    job = fusions.current
    return [job.request.model] if job is not None and job.running else []
