"""Conversions of models: a kind of job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from backend.contract.jobs.conversion import ConversionRequest, ConversionResult
from backend.contract.record import read_record, write_record
from backend.core.hub import Hub
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind
from backend.jobs.lifecycle.job import JobState
from backend.jobs.lifecycle.slot import Slot
from backend.settings import Settings

STAGING = r"\..+\.[0-9a-f]{16}\.tmp"  # The folder in which a model is made, beside its place.

CONVERSION = JobKind(
    name="conversion",
    engine="convert",
    folder="jobs/conversion",
    log="conversion.log",
    subject="A conversion of {title}",
    reason="it needs the memory",
    place="on the Models page",
    stop_route="/models/convert/stop",
    stopped="The conversion was stopped; nothing was saved.",
    read=partial(read_record, ConversionRequest),
    title=lambda request: request.model.name,
    staging=lambda request: request.staging,
    staging_name=STAGING,
)


class ConversionStatus(BaseModel):
    """Of the running conversion, or the last one; `result` of the newest that was finished."""

    state: JobState | None = None
    phase: str | None = None
    progress: float | None = None
    message: str | None = None
    error: str | None = None
    hint: str | None = None
    job_id: str | None = None
    source: str | None = None
    output_name: str | None = None
    quantize: int | None = None
    dtype: str | None = None
    result: ConversionResult | None = None


class Conversions(EngineJobs[ConversionRequest]):
    """The conversions of a data root. New models are made in `models_folder`."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        *,
        slot: Slot,
        make_room: Callable[[], Awaitable[object]],
        models_folder: Path,
    ) -> None:
        super().__init__(
            CONVERSION, settings, hub, slot=slot, make_room=make_room, results=models_folder
        )

    async def convert(self, request: ConversionRequest) -> None:
        """Start one. Raises WrongState while a run or another job is active."""
        await self.start(write_record(request))

    def models(self) -> list[str]:
        """The folder of the model that is being converted."""
        job = self.current
        return [job.request.model.path] if job is not None and job.running else []

    def status(self) -> ConversionStatus:
        """Blocking."""
        job, result = self.current, self.newest()
        if job is None:
            return ConversionStatus(result=result)
        return ConversionStatus(
            state=job.state,
            phase=job.phase,
            progress=job.share,
            message=job.message,
            error=job.error,
            hint=job.hint,
            job_id=job.folder.id,
            source=job.title,
            output_name=Path(job.request.output).name,
            quantize=job.request.model.quantize,
            dtype=job.request.model.dtype,
            result=result,
        )

    def newest(self) -> ConversionResult | None:
        """What the newest finished conversion made. Blocking."""
        return next(self.folders.results(ConversionResult), None)

    def seconds(self, source_bytes: int, *, quantised: bool) -> float | None:
        """How long one takes at the speed of the last one of its kind here; None until there was
        one. Blocking.
        """
        for result in self.folders.results(ConversionResult):
            if (result.quantize is not None) == quantised:
                return result.seconds * source_bytes / max(1, result.source_bytes)
        return None
