"""Benchmarks of this machine: the smallest kind of job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from backend.contract.jobs.machine_benchmark import BenchmarkRequest, MachineBenchmark
from backend.contract.record import read_record, write_record
from backend.core.hub import Hub
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind
from backend.jobs.lifecycle.folder import JobFolders
from backend.jobs.lifecycle.job import JobState
from backend.jobs.lifecycle.slot import Slot
from backend.settings import Settings

BENCHMARK = JobKind(
    name="benchmark",
    engine="benchmark",
    folder="jobs/benchmark",
    log="benchmark.log",
    subject="A benchmark of this machine",
    reason="other work would disturb it",
    place="with POST /system/benchmark/stop",
    stop_route="/system/benchmark/stop",
    stopped="The benchmark was stopped; nothing was saved.",
    read=partial(read_record, BenchmarkRequest),
    title=lambda _: "this machine",
)


class BenchmarkStatus(BaseModel):
    """Of the running benchmark, or the last one; `result` of the newest that was finished."""

    state: JobState | None
    phase: str | None
    progress: float | None
    error: str | None = None
    hint: str | None = None
    result: MachineBenchmark | None


class MachineBenchmarks(EngineJobs[BenchmarkRequest]):
    """The benchmarks of a data root."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        *,
        slot: Slot,
        make_room: Callable[[], Awaitable[object]],
    ) -> None:
        super().__init__(BENCHMARK, settings, hub, slot=slot, make_room=make_room)

    async def measure(self) -> None:
        """Start one. Raises WrongState while a run or another job is active."""
        await self.start(write_record(BenchmarkRequest()))

    def status(self) -> BenchmarkStatus:
        """Blocking."""
        job, result = self.current, newest_benchmark(self.folders)
        if job is None:
            return BenchmarkStatus(state=None, phase=None, progress=None, result=result)
        return BenchmarkStatus(
            state=job.state,
            phase=job.phase,
            progress=job.share,
            error=job.error,
            hint=job.hint,
            result=result,
        )


def benchmark_folders(data_dir: Path) -> JobFolders:
    return JobFolders(data_dir / BENCHMARK.folder, BENCHMARK.name)


def newest_benchmark(folders: JobFolders) -> MachineBenchmark | None:
    """What the newest finished benchmark measured, if there is one. Blocking."""
    return next(folders.results(MachineBenchmark), None)
