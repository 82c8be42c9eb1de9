"""Runs side by side, as the page and the command line show them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from backend.jobs.run.reward_numbers import Metric
from backend.jobs.run.schemas import RunMetrics
from backend.jobs.run.state import RunState

Axis = Literal["step", "tokens", "seconds"]
Point = tuple[float, float | None]


class BestResult(BaseModel):
    """The best adapter of a run: by which number, its value and where. All null without one."""

    metric: Metric | None = None
    value: float | None = None
    val_loss: float | None = None
    step: int | None = None


class RunResources(BaseModel):
    """What a run cost. `adapter_bytes` are those of its newest weights, null where they are gone
    or another run has written there since.
    """

    duration_seconds: float | None
    tokens_per_second: float | None
    peak_memory_gb: float | None
    adapter_bytes: int | None
    trainable_parameters: int | None


class ComparedRun(BaseModel):
    """One of several runs: its curves over the common axis, and its numbers as its record has them.

    A curve is a list of points; null is a value that was not finite.
    """

    session_id: str
    name: str
    state: RunState
    method: str
    model_name: str | None
    series: dict[str, list[Point]]
    final: RunMetrics
    best: BestResult
    resources: RunResources


class Difference(BaseModel):
    """A setting that is not the same in all runs, with its values in the order of the runs."""

    field: str
    values: list[Any]


class HeldOut(BaseModel):
    """Whether validation losses can be compared: they can where they are of the same rows.

    `rows` counts those of each run, `common` those that all have; null where a run's rows are not
    known.
    """

    same: bool | None
    rows: list[int | None]
    common: int | None
    message: str


class RunComparison(BaseModel):
    x: Axis
    runs: list[ComparedRun]
    differences: list[Difference]
    held_out: HeldOut


class Preset(BaseModel):
    """A pair of finished runs that is worth comparing; without `ids`, `message` says what lacks."""

    id: Literal["coverage", "method"]
    title: str
    ids: list[str]
    message: str


class Presets(BaseModel):
    presets: list[Preset]
