"""Is the server up, and what machine is it on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter

from backend import __version__
from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.core.machine.system import describe_system
from backend.core.schemas import Health, SystemInfo
from backend.errors import WrongState
from backend.jobs.kinds.machine_benchmark import BenchmarkStatus, newest_benchmark

router = APIRouter(tags=["system"])


@router.get("/health")
async def health() -> Health:
    return Health(status="healthy", timestamp=datetime.now(UTC), version=__version__)


@router.get("/system")
async def system(services: Wired) -> SystemInfo:
    return await asyncio.to_thread(_system, services)


@router.get("/system/benchmark")
async def benchmark_status(services: Wired) -> BenchmarkStatus:
    """How a benchmark of this machine goes, and what the last finished one measured."""
    return await asyncio.to_thread(services.benchmarks.status)


@router.post("/system/benchmark", responses=refuses(409, 507))
async def start_benchmark(services: Wired) -> BenchmarkStatus:
    """Measure matrix products, memory and training steps for a few seconds, beside nothing else."""
    await services.benchmarks.measure()
    return await asyncio.to_thread(services.benchmarks.status)


@router.post("/system/benchmark/stop", responses=refuses(409))
async def stop_benchmark(services: Wired) -> BenchmarkStatus:
    if await services.benchmarks.stop() is None:
        raise WrongState("No benchmark is running.")
    return await asyncio.to_thread(services.benchmarks.status)


def _system(services: Services) -> SystemInfo:
    info = describe_system(services.settings)
    info.benchmark = newest_benchmark(services.benchmarks.folders)
    return info
