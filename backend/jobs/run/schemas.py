"""The shapes in which runs are shown to the outside: status, snapshots, series, records."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.jobs.run.reward_numbers import Metric, RewardNumbers, SampleData, ValidationNumbers
from backend.jobs.run.state import RunState

SessionTag = Annotated[str, Field(min_length=1, max_length=60)]


class RunMetrics(BaseModel, RewardNumbers, ValidationNumbers):
    """The latest numbers of a run. Unknown is null, never 0. Times in seconds, memory in 10^9 B.

    `best_val_loss` is known where the run goes by its validation loss; `best_metric` says by which
    number it goes, and `best_value` is the best of it. `test_loss` and `test_perplexity` are of the
    test set, measured once at the end, if that was asked for.
    """

    method: str | None = None
    current_step: int | None = None
    total_steps: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    learning_rate: float | None = None
    iterations_per_second: float | None = None
    tokens_per_second: float | None = None
    trained_tokens: int | None = None
    peak_memory_gb: float | None = None
    best_val_loss: float | None = None
    best_metric: Metric | None = None
    best_value: float | None = None
    best_model_step: int | None = None
    test_loss: float | None = None
    test_perplexity: float | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    start_time: datetime | None = None
    elapsed_seconds: float | None = None
    estimated_time_remaining: float | None = None
    epoch: float | None = None
    grad_norm: float | None = None


class BestModel(BaseModel):
    """The adapter that was best by `metric` with `value`, and where it is.

    `val_loss` is its validation loss, null where a run has none. Records from before other metrics
    have nothing but that.
    """

    step: int
    path: str
    val_loss: float | None = None
    metric: Metric = "val_loss"
    value: float

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "value" not in raw and "metric" not in raw:
            return {**raw, "value": raw.get("val_loss")}
        return raw


class Series(BaseModel):
    """A run's curves as columns of equal length: `train["step"]`, `train["train_loss"]`, …

    `validation` has `step`, `val_loss`, `val_time`. A run by rewards or preferences has a column
    for each of its numbers, and `reward/<function>` and `val_reward/<function>`. A value that was
    not finite is null.
    """

    train: dict[str, list[float | None]] = {}
    validation: dict[str, list[float | None]] = {}
    checkpoints: list[int] = []
    best: BestModel | None = None


class Alert(BaseModel):
    """Something a run wants the user to know. `fix` names request fields and the values that the
    next run should have; `step` is the iteration after which it was seen.
    """

    level: Literal["info", "warning", "error"]
    code: str
    message: str
    hint: str | None = None
    step: int | None = None
    fix: dict[str, Any] | None = None
    at: datetime | None = None


Verdict = Literal["healthy", "watch", "act"]


class RunError(BaseModel):
    """Why a run ended badly, and what to do."""

    message: str
    hint: str | None = None
    log_tail: list[str] = []


class QueuedRun(BaseModel):
    """A run that waits for the slot. It becomes a session when it starts."""

    session_id: str
    adapter_name: str
    model_name: str
    method: str
    total_steps: int
    queued_at: datetime


class TrainingStateData(BaseModel):
    """A full snapshot of the current or last run: all that a page needs after a reload."""

    state: RunState
    session_id: str | None = None
    phase: str | None = None
    metrics: RunMetrics = RunMetrics()
    config: dict[str, Any] | None = None
    error: RunError | None = None
    series: Series = Series()
    logs: list[str] = []
    alerts: list[Alert] = []
    health: Verdict | None = None
    samples: list[SampleData] = []
    message: str | None = None
    early_stopped: bool = False
    adapter_path: str | None = None
    queue: list[QueuedRun] = []
    seq: int = 0


class TrainingStatus(BaseModel):
    """GET /training/status."""

    state: RunState
    session_id: str | None
    pid: int | None
    phase: str | None
    metrics: RunMetrics
    config: dict[str, Any] | None
    error: RunError | None
    started_at: datetime | None
    queue: list[QueuedRun]


class LoraSummary(BaseModel):
    """What LoRA really covers: exact counts for this model at this rank."""

    keys: list[str]
    matched_modules: int
    trainable_parameters: int
    total_parameters: int
    percent: float
    effective_scale: float
    peft_alpha: float | None = None
    layers: int | None = None


class DataFile(BaseModel):
    """A data file as a run used it; `skipped` rows of it were left out."""

    path: str
    sha256: str
    rows: int
    skipped: int = 0


class DataSummary(BaseModel):
    train: DataFile | None = None
    valid: DataFile | None = None
    test: DataFile | None = None
    format: str | None = None
    split_seed: int | None = None


class ModelRef(BaseModel):
    """A base model by folder and by the fingerprint of its config and weight headers."""

    path: str
    fingerprint: str | None = None


class ResumedFrom(BaseModel):
    """The session that a run continues, and the step up to which its history is that one's."""

    session_id: str
    checkpoint: int
    step: int


class ExitSummary(BaseModel):
    state: RunState
    message: str
    hint: str | None = None


class SessionRecord(BaseModel):
    """`session_<uuid>.json`. Unknown fields survive a load and a save. `number` counts the sessions
    of a data root in the order in which they began, whatever its clock said; `curve` is a picture
    of its training loss (or reward) in a few points.
    """

    model_config = ConfigDict(extra="allow")

    schema_version: int = 1
    session_id: str
    number: int | None = None
    timestamp: datetime
    training_state: RunState
    state: RunState
    method: str = "sft"
    config: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    adapter_path: str | None = None
    best_model: BestModel | None = None
    lora: LoraSummary | None = None
    data: DataSummary | None = None
    model: ModelRef | None = None
    resumed_from: ResumedFrom | None = None
    command: str | None = None
    versions: dict[str, str] = {}
    pid: int | None = None
    process_started: float | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit: ExitSummary | None = None
    early_stopped: bool = False
    alerts: list[Alert] = []
    health: Verdict | None = None
    curve: list[float | None] = []
    notes: str = ""
    tags: list[str] = []
    name: str | None = None
    pinned: bool = False

    @property
    def title(self) -> str | None:
        """What people call it: its own name, else that of its adapter."""
        adapter = self.config.get("adapter_name")
        return self.name or (adapter if isinstance(adapter, str) and adapter else None)


class SessionSummary(BaseModel):
    """A row of GET /sessions."""

    session_id: str
    timestamp: datetime | None
    training_state: RunState | None
    model_name: str | None
    adapter_name: str | None
    final_train_loss: float | None
    final_val_loss: float | None
    steps_completed: int | None
    total_steps: int | None
    method: str | None
    best_val_loss: float | None
    best_metric: Metric | None = None
    best_value: float | None = None
    duration_seconds: float | None
    notes: str
    tags: list[str]
    adapter_ready: bool
    train_data: str | None = Field(None, description="The name of its training file.")
    coverage: Literal["full", "attention", "other"] | None = Field(
        None, description="Which matrices have LoRA: attention and MLP, attention alone, or others."
    )
    name: str | None = Field(None, description="What the user calls it, if not by its adapter.")
    pinned: bool = False
    curve: list[float | None] = Field(
        [], description="Its training loss (or reward) in a few points from first to last."
    )
    legacy: bool = False
    problem: str | None = Field(None, description="Why this record can't be read, if so.")


class SessionChange(BaseModel):
    """PATCH /sessions/{id}. What is left out stays as it is; an empty name is none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=120)] | None = None
    notes: Annotated[str, Field(max_length=20_000)] | None = None
    tags: Annotated[list[SessionTag], Field(max_length=30)] | None = None
    pinned: bool | None = None

    def values(self) -> dict[str, Any]:
        """The fields of the record that change, with what they become."""
        values = self.model_dump(exclude_none=True)
        if self.name is not None:
            values["name"] = self.name.strip() or None
        if self.tags is not None:
            values["tags"] = list(dict.fromkeys(self.tags))
        return values


class SessionChoices(BaseModel):
    """The values that sessions can be filtered by."""

    methods: list[str]
    models: list[str]
    tags: list[str]


class SessionPage(BaseModel):
    """A page of the list. `matching` counts the sessions that pass the filters, of `total`."""

    sessions: list[SessionSummary]
    next_cursor: str | None
    matching: int
    total: int
    choices: SessionChoices
