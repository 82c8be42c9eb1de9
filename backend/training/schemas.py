"""Answers of the training routes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel

from backend.jobs.run.recipe import StartLevel, StartWarning
from backend.jobs.run.schemas import LoraSummary


class RemarkFix(BaseModel):
    """One press that does what a remark advises: a field of the request and its value."""

    label: str
    field: str
    value: str | bool | int | float


class StartRemark(BaseModel):
    """A warning with its code, level and remedy: a fact of the run (info), what to think about
    before it (caution), or what the start will be refused for (error).
    """

    code: str
    level: StartLevel
    message: str
    fix: RemarkFix | None


def remarks_of(warnings: Iterable[StartWarning]) -> list[StartRemark]:
    """The warnings of a start as its answer has them."""
    return [
        StartRemark(
            code=warning.code,
            level=warning.level,
            message=str(warning),
            fix=RemarkFix(**asdict(warning.fix)) if warning.fix else None,
        )
        for warning in warnings
    ]


class StartAnswer(BaseModel):
    """A run was accepted. `warnings` are sentences; the run goes on despite them. `remarks` are
    the same with their codes and levels; absent from answers that an earlier version kept.
    """

    status: Literal["started", "queued"]
    message: str
    session_id: str
    warnings: list[str]
    remarks: list[StartRemark] = []


class StopAnswer(BaseModel):
    """`finished` is false while the run still ends; its state is `stopping` until then."""

    status: Literal["stopped", "idle"]
    finished: bool
    message: str
    session_id: str | None


class PauseAnswer(BaseModel):
    status: Literal["paused", "running"]


class LogsAnswer(BaseModel):
    logs: list[str]


class MemoryEstimate(BaseModel):
    """Peak memory in 10^9 bytes, by part; `available_gb` is the device's recommended set."""

    estimate_gb: float
    parts: dict[str, float]
    available_gb: float | None
    verdict: Literal["ok", "tight", "too_large"] | None


class DataPreview(BaseModel):
    """What the data holds, counted in the model's own tokens. Null: not counted. `skipped_rows` of
    all sets are left out; `rendered_share` is how much of a long file is rendered so far, null when
    all of it is, and `rendering_job` the job whose frames tell when it is.
    """

    format: str
    rows: int
    valid_rows: int
    split: bool
    tokens: int | None
    max_tokens: int | None
    truncated_rows: int | None
    unused_rows: int | None
    skipped_rows: int = 0
    rendered_share: float | None = None
    rendering_job: str | None = None


class HeldOutPrompts(BaseModel):
    """Up to 8 first questions of rows that a run will not be trained on, and the file they are
    from; null where nothing is held out.
    """

    prompts: list[str]
    source: str | None


class Preview(BaseModel):
    """POST /training/preview: what a start would do. Nothing is started and nothing written.

    `needs_confirmation` is why a start with `confirm_high_scale` false would be refused.
    """

    config_yaml: str
    command: str
    lora: LoraSummary | None
    memory: MemoryEstimate | None
    data: DataPreview
    iterations: int
    steps_per_epoch: int
    epochs: float
    estimated_seconds: float | None
    checkpoint_bytes: int | None
    checkpoints_kept: int
    needs_confirmation: str | None
    warnings: list[str]
    remarks: list[StartRemark] = []
