"""The machine and the shape of an error, as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from backend.contract.jobs.machine_benchmark import MachineBenchmark


class Health(BaseModel):
    status: Literal["healthy"]
    timestamp: datetime
    version: str


class BlasInfo(BaseModel):
    """Which matrix library the engines use. `reference` is mlx's own slow one on Linux CPU."""

    name: Literal["accelerate", "openblas", "reference", "cuda"]
    source: str
    path: str | None


class SystemInfo(BaseModel):
    """GET /system. Memory and disk in bytes; null where the system does not say."""

    version: str
    os: str
    python: str
    chip: str | None
    cores: int | None
    device: Literal["Metal", "CUDA", "CPU"]
    engines: dict[str, str | None]
    blas: BlasInfo
    memory_total: int | None
    memory_available: int | None
    recommended_working_set: int | None
    disk_free: int | None
    gpu_percent: float | None
    thermal: str | None
    data_dir: str
    benchmark: MachineBenchmark | None = None


class FieldError(BaseModel):
    field: str
    message: str


class DamagedItem(BaseModel):
    """A file of a list that can't be read. It is left alone; `name` is what it is deleted by."""

    name: str
    path: str
    problem: str


class ErrorAnswer(BaseModel):
    """Every refusal: what happened, with the value, and what to do. The routes of the enhanced tab
    say `success: false` beside it, as their answers say true.
    """

    success: Literal[False] | None = None
    error: str
    detail: str
    hint: str | None = None
    errors: list[FieldError] | None = None
