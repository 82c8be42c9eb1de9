"""The fusion of adapters, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.adapters.schemas import AdapterName
from backend.contract.jobs.fusion import FusionMethod, SourceShare
from backend.evaluation.proof import Proof
from backend.jobs.lifecycle.status import JobStatus

FEWEST, MOST = 2, 5
MAX_RANK = 512
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Name = Annotated[str, Field(min_length=1, max_length=4096)]


class FusionAdapter(BaseModel):
    """An adapter of the list. `problem` says why it can't be merged; `base` is the model's name."""

    name: str
    base: str | None
    method: str | None
    type: str | None
    rank: int | None
    scale: float | None
    keys: list[str]
    num_layers: int | None
    size_bytes: int
    created: datetime | None
    tags: list[str]
    problem: str | None


class FusionAdapters(BaseModel):
    """GET /api/fusion/list-adapters, by base model and name."""

    adapters: list[FusionAdapter]


class FusionCheck(BaseModel):
    """POST /api/fusion/validate. `num_parameters` is of the exact sum: its rank is theirs added.

    `output_name` is what the result is called where no other name is given.
    """

    compatible: bool
    num_adapters: int
    num_parameters: int | None = None
    base: str | None = None
    rank: int | None = None
    output_name: str | None = None
    message: str | None = None
    error: str | None = None
    hint: str | None = None
    warnings: list[str] = []


class FuseRequest(BaseModel):
    """POST /api/fusion/fuse. `weights` null: equal ones; `output_rank` null: nothing is cut off.

    `density` is the share of each change that TIES and DARE keep.
    """

    model_config = _STRICT

    adapter_names: list[Name] = Field(min_length=FEWEST, max_length=MOST)
    method: FusionMethod = "weighted"
    weights: list[Annotated[float, Field(ge=-10, le=10)]] | None = None
    output_name: AdapterName | None = None
    output_rank: int | None = Field(None, ge=1, le=MAX_RANK)
    density: float = Field(0.5, gt=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    evaluation_dataset: Name | None = None
    use_best: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.adapter_names)) < len(self.adapter_names):
            raise ValueError("adapter_names has the same adapter twice.")
        if self.method == "slerp" and len(self.adapter_names) != 2:
            raise ValueError(
                f"slerp goes from one adapter to another, and {len(self.adapter_names)} are given: "
                "choose two, or weighted, ties or dare."
            )
        if self.weights is not None:
            weights, adapters = len(self.weights), len(self.adapter_names)
            if weights != adapters:
                raise ValueError(f"weights has {weights} values for {adapters} adapters.")
            if not any(self.weights):
                raise ValueError("weights are all 0, so nothing would be left.")
        return self


class FusionStarted(BaseModel):
    status: Literal["started"] = "started"
    job_id: str
    output_name: str
    message: str
    warnings: list[str]


class FusionInfo(BaseModel):
    """What was merged into what. Errors are relative Frobenius errors of a reduced rank."""

    adapter_names: list[str]
    base: str
    method: FusionMethod
    weights: list[float]
    density: float | None
    output_name: str
    output_path: str
    output_rank: int
    parameters: int
    relative_error: float
    worst_matrix: str | None
    worst_error: float
    seconds: float
    timestamp: datetime


class FusionResultAnswer(BaseModel):
    """GET /api/fusion/result. Without held-out rows `proof` is null and `unproven` says why."""

    fusion_info: FusionInfo
    sources: list[SourceShare]
    proof: Proof | None
    unproven: str | None
    warnings: list[str]


class FusionStatus(JobStatus):
    """GET /api/fusion/status. `progress` is from 0 to 100.

    `has_result` says whether GET /api/fusion/result has an answer, of this fusion or an earlier.
    """

    output_name: str | None = None
    adapter_names: list[str] = Field([])
    result: FusionResultAnswer | None
    has_result: bool


class FusionAnswer(BaseModel):
    message: str
