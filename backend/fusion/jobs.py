"""Fusions: a kind of job."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from backend.contract.jobs.fusion import FusionRequest
from backend.contract.record import read_record
from backend.core.disk.removal import named, remove
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind


def _title(request: FusionRequest) -> str:
    names = [source.name for source in request.sources]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _clean_up(request: FusionRequest) -> None:
    staging = Path(request.staging)
    if os.path.lexists(staging):
        remove(staging, inside=staging.parent, own=named(r"\.fusing-.+"))


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
    clean_up=_clean_up,
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
