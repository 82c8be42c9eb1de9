"""The WebSocket's frames, declared so that the browser's types are generated from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from backend.core.disk.notice_watch import NoticesData
from backend.jobs.lifecycle.frames import JobData
from backend.jobs.run.reward_numbers import SampleData
from backend.jobs.run.schemas import (
    Alert,
    BestModel,
    QueuedRun,
    RunMetrics,
    TrainingStateData,
    Verdict,
)


class StartedData(BaseModel):
    config: dict[str, Any]
    session_id: str
    method: str


class Point(BaseModel):
    """The newest row of a series; `values` has the columns of `Series.train` or `.validation`."""

    kind: Literal["train", "validation"]
    values: dict[str, float | None]


class ProgressData(BaseModel):
    """`log_line` is the last of `log_lines`; a burst of lines comes as one frame."""

    metrics: RunMetrics
    log_line: str | None = None
    log_lines: list[str] = []
    point: Point | None = None
    phase: str | None = None
    state: str | None = None
    health: Verdict | None = None


class CheckpointData(BaseModel):
    step: int
    path: str


class CompletedData(BaseModel):
    final_metrics: RunMetrics
    early_stopped: bool
    message: str


class StoppedData(BaseModel):
    session_id: str
    message: str


class ErrorData(BaseModel):
    error: str
    hint: str | None = None
    log_tail: list[str] = []


class ResetData(BaseModel):
    message: str


class LoadedData(BaseModel):
    session_id: str
    state: str
    metrics: RunMetrics
    config: dict[str, Any] | None


class QueueData(BaseModel):
    """The waiting runs, the next one first."""

    queue: list[QueuedRun]


class _Frame(BaseModel):
    seq: int
    epoch: str
    session_id: str | None


class StateFrame(_Frame):
    type: Literal["training_state"]
    data: TrainingStateData


class StartedFrame(_Frame):
    type: Literal["training_started"]
    data: StartedData


class ProgressFrame(_Frame):
    type: Literal["training_progress"]
    data: ProgressData


class BestFrame(_Frame):
    type: Literal["best_model_updated"]
    data: BestModel


class CheckpointFrame(_Frame):
    type: Literal["checkpoint_saved"]
    data: CheckpointData


class SampleFrame(_Frame):
    type: Literal["training_sample"]
    data: SampleData


class AlertFrame(_Frame):
    type: Literal["training_alert"]
    data: Alert


class CompletedFrame(_Frame):
    type: Literal["training_completed"]
    data: CompletedData


class StoppedFrame(_Frame):
    type: Literal["training_stopped"]
    data: StoppedData


class ErrorFrame(_Frame):
    type: Literal["training_error"]
    data: ErrorData


class ResetFrame(_Frame):
    type: Literal["training_reset"]
    data: ResetData


class LoadedFrame(_Frame):
    type: Literal["session_loaded"]
    data: LoadedData


class QueueFrame(_Frame):
    type: Literal["queue_changed"]
    data: QueueData


class JobProgressFrame(_Frame):
    type: Literal["job_progress"]
    data: JobData


class JobCompletedFrame(_Frame):
    type: Literal["job_completed"]
    data: JobData


class JobErrorFrame(_Frame):
    type: Literal["job_error"]
    data: JobData


class NoticesFrame(_Frame):
    type: Literal["notices_changed"]
    data: NoticesData


class PingFrame(_Frame):
    type: Literal["ping", "pong"]
    data: dict[str, Any]


Frame = (
    StateFrame
    | StartedFrame
    | ProgressFrame
    | BestFrame
    | CheckpointFrame
    | SampleFrame
    | AlertFrame
    | CompletedFrame
    | StoppedFrame
    | ErrorFrame
    | ResetFrame
    | LoadedFrame
    | QueueFrame
    | JobProgressFrame
    | JobCompletedFrame
    | JobErrorFrame
    | NoticesFrame
    | PingFrame
)
