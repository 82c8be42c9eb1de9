"""The events of a child process: what an engine writes into `events.jsonl`, and the server reads.

One class for each `type`. An event knows which of its fields it was made with, because only those
are written: what a method does not have is left out, and null says that a number is unknown. A
reader keeps the fields of a newer writer as they came, and skips types that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from backend.contract.record import BadRecord, read_record
from backend.contract.run.numbers import (
    FunctionReward,
    Metric,
    RewardNumbers,
    SampleData,
    SetFields,
    ValidationNumbers,
)

TrainingPhase = Literal[
    "loading model",
    "quantising base",
    "loading reference",
    "preparing data",
    "training",
    "evaluating",
    "saving",
    "paused",
    "done",
]
EvaluationPhase = Literal["loading model", "scoring", "answering", "tasks", "judging", "done"]
FusionPhase = Literal["loading model", "reading adapters", "merging", "writing", "done"]
ExportPhase = Literal["loading model", "writing", "testing", "handing over", "done"]
ConversionPhase = Literal["loading model", "quantising", "writing weights", "done"]
BenchmarkPhase = Literal[
    "loading model", "multiplying matrices", "copying memory", "training blocks", "done"
]
UploadPhase = Literal["loading model", "hashing", "uploading", "finishing", "done"]
PhaseName = (
    TrainingPhase | EvaluationPhase | FusionPhase | ExportPhase | ConversionPhase | BenchmarkPhase
    | UploadPhase
)  # fmt: skip

_NOT_WRITTEN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RunEvent(SetFields):
    """One line of `events.jsonl`. `seq` and `at` are given to it when it is written."""

    type: ClassVar[str]

    seq: int = 0
    at: datetime = _NOT_WRITTEN


@dataclass(frozen=True, kw_only=True)
class Phase(RunEvent):
    """The process entered a phase. `paused` is left again by another phase."""

    type: ClassVar[str] = "phase"

    name: PhaseName


@dataclass(frozen=True, kw_only=True)
class Progress(RunEvent):
    """How far a job is that is no training: `done` of `total`, at which target."""

    type: ClassVar[str] = "progress"

    done: int
    total: int
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class Model(RunEvent):
    """The model is loaded and its trainable part is known."""

    type: ClassVar[str] = "model"

    trainable_parameters: int
    total_parameters: int
    matched_modules: int
    matrices: Sequence[str] = ()
    layers: int | None = None


@dataclass(frozen=True, kw_only=True)
class EngineDetails(SetFields):
    """Numbers of a training report that only the engine has a name for."""

    details: Mapping[str, float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Metrics(RunEvent, RewardNumbers, EngineDetails):
    """A training report. Losses are means per token in nats, memory is in 10^9 bytes.

    Of what rewards and preferences add, the run names what its method has.
    """

    type: ClassVar[str] = "metrics"

    step: int
    train_loss: float | None = None
    learning_rate: float | None = None
    iterations_per_second: float | None = None
    tokens_per_second: float | None = None
    trained_tokens: int | None = None
    peak_memory_gb: float | None = None
    epoch: float | None = None
    grad_norm: float | None = None


@dataclass(frozen=True, kw_only=True)
class Validation(RunEvent, ValidationNumbers):
    """A validation pass over the weights after `step` updates."""

    type: ClassVar[str] = "validation"

    step: int
    val_loss: float | None = None
    val_time: float | None = None

    def measured(self, metric: Metric) -> float | None:
        """The number by which a run finds its best adapter."""
        match metric:
            case "val_loss":
                return self.val_loss
            case "val_reward":
                return self.val_reward
            case "val_accuracy":
                return self.val_accuracy


@dataclass(frozen=True, kw_only=True)
class Checkpoint(RunEvent):
    """A numbered adapter file was written."""

    type: ClassVar[str] = "checkpoint"

    step: int
    path: str


@dataclass(frozen=True, kw_only=True)
class Best(RunEvent):
    """The best adapter so far was kept, from the very weights that were validated.

    It is best by `metric`: lowest for a loss, highest for all else. A run that names none goes by
    its validation loss.
    """

    type: ClassVar[str] = "best"

    step: int
    path: str
    val_loss: float | None = None
    metric: Metric = "val_loss"
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tested(RunEvent):
    """The test set was measured once, with the weights of the end: as a validation measures."""

    type: ClassVar[str] = "test"

    step: int
    test_loss: float | None = None
    test_perplexity: float | None = None
    test_reward: float | None = None
    test_reward_std: float | None = None
    test_success_rate: float | None = None
    test_kl: float | None = None
    test_completion_length: float | None = None
    test_rewards: Mapping[str, float | None] | None = None
    test_accuracy: float | None = None
    test_margin: float | None = None
    test_rewards_chosen: float | None = None
    test_rewards_rejected: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sample(RunEvent, SampleData):
    """A completion made while training, with what the reward functions gave for it, if any do."""

    type: ClassVar[str] = "sample"


@dataclass(frozen=True, kw_only=True)
class Warning(RunEvent):
    """Something the user should know; the run goes on. `level` info is a fact, not a doubt;
    `metric` names the number that it is about, if it is about one.
    """

    type: ClassVar[str] = "warning"

    code: str
    message: str
    hint: str | None = None
    level: Literal["info", "warning"] = "warning"
    metric: str | None = None


@dataclass(frozen=True, kw_only=True)
class EarlyStop(RunEvent):
    """Validation did not improve for `patience` evaluations; the run ends by itself."""

    type: ClassVar[str] = "early_stop"

    step: int
    best_step: int | None = None


@dataclass(frozen=True, kw_only=True)
class Resumed(RunEvent):
    """Not from the run itself: what stands above happened in the session that it continues."""

    type: ClassVar[str] = "resumed"

    step: int
    session_id: str


@dataclass(frozen=True, kw_only=True)
class Exit(RunEvent):
    """The last event of a run that could still speak. `saved`: whether a stop saved the adapter."""

    type: ClassVar[str] = "exit"

    state: Literal["completed", "stopped", "error"]
    code: int
    message: str
    hint: str | None = None
    saved: bool | None = None


EVENTS: dict[str, type[RunEvent]] = {
    kind.type: kind
    for kind in (
        Phase, Progress, Model, Metrics, Validation, Checkpoint, Best, Tested, Sample, Warning,
        EarlyStop, Resumed, Exit,
    )
}  # fmt: skip


def write_event(event: RunEvent, *, seq: int, at: datetime) -> dict[str, Any]:
    """The line of an event, as a JSON value apart from numbers that are not finite."""
    stamp = {"seq": seq, "at": at.isoformat(), "type": event.type}
    fields_set = event.set_fields()
    return stamp | {name: _written(fields_set[name]) for name in fields_set if name not in stamp}


def read_event(raw: object) -> RunEvent | None:
    """The event of one line's JSON value; None for a type or shape this version does not know."""
    if not isinstance(raw, dict) or "seq" not in raw or "at" not in raw:
        return None
    name = raw.get("type")
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    try:
        event = read_record(kind, raw)
    except BadRecord:
        return None
    event.keep_unknown(raw)
    return event


def _written(value: Any) -> Any:
    if isinstance(value, FunctionReward):
        return asdict(value)
    if isinstance(value, Mapping):
        return {name: _written(one) for name, one in value.items()}
    return value
