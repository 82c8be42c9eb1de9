"""Answers of the enhanced tab's routes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from backend.data.checks.method_rows import DataNeeds
from backend.training.request.method import Family, Intensity, SelectBy
from backend.training.schemas import StartRemark

ParameterType = Literal["number", "integer", "boolean", "choice", "text", "list", "keys"]


class Inactive(BaseModel):
    """The parameter does nothing while `field` has the value `equals`, for this reason; with
    `otherwise`, while it has any other.
    """

    field: str
    equals: str | int | float | bool | None
    otherwise: bool = False
    reason: str


class MethodParameter(BaseModel):
    """A field of the start request that the method takes, as the form draws it.

    `minimum` and `maximum` are allowed values, `above` and `below` are not; `range` says the same,
    or lists the options, and is null where anything goes. With one option only the value is what
    makes the method, and is shown without a choice.
    """

    name: str
    title: str
    help: str
    type: ParameterType
    default: Any
    nullable: bool
    minimum: float | None
    maximum: float | None
    above: float | None
    below: float | None
    range: str | None
    options: list[str | int] | None
    unit: str | None
    group: str
    level: Literal["simple", "advanced"]
    inactive: Inactive | None


class MethodInfo(BaseModel):
    """One row of the table of methods. What has not been measured is null.

    `defaults` are values of other fields that this method has by itself, `suggested` those that the
    form starts with.
    """

    display_name: str
    description: str
    complexity: str
    stars: int
    use_case: str
    badge: str | None
    resource_intensity: Intensity
    estimated_speedup: str | None
    data_format: DataNeeds
    data_example: str
    requires_reasoning_chains: bool
    family: Family
    generates: bool
    select_by: SelectBy
    resumable: bool
    least_batch: int
    defaults: dict[str, Any]
    suggested: dict[str, Any]
    notes: list[str]
    source: str
    additional_params: list[MethodParameter]


class MethodsAnswer(BaseModel):
    """GET /api/training/methods, in the order of the cards."""

    success: Literal[True]
    methods: dict[str, MethodInfo]


class EnhancedStartAnswer(BaseModel):
    """A run was accepted. `pid` is null while it waits in the queue."""

    success: Literal[True]
    status: Literal["started", "queued"]
    message: str
    method: str
    session_id: str
    pid: int | None
    log_file: str | None
    warnings: list[str]
    remarks: list[StartRemark] = []


class Estimation(BaseModel):
    """Peak memory in 10^9 bytes, hours without loading, and what to change. `relative_cost`: how
    many times a step of SFT with the same settings takes. Null: not known for this model, or
    nothing like it was ever run on this machine.
    """

    method: str
    estimated_memory_gb: float | None
    parts: dict[str, float]
    available_gb: float | None
    verdict: Literal["ok", "tight", "too_large"] | None
    estimated_time_hours: float | None
    relative_cost: float | None
    generations_per_step: int | None
    resource_intensity: Intensity
    recommendations: list[str]


class EstimateAnswer(BaseModel):
    success: Literal[True]
    estimation: Estimation
