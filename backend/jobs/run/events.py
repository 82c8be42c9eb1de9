"""What a run says about itself: one JSON object per line of its `events.jsonl`.

The engine process writes them (`backend/engines/process/events.py`), the server only reads them.
Unknown fields are kept and unknown types are skipped, so an older server can follow a newer engine.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from backend.jobs.run.reward_numbers import Metric, RewardNumbers, SampleData, ValidationNumbers

PhaseName = Literal[
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


class _Event(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    seq: int
    at: datetime


class Phase(_Event):
    """The run entered a phase. `paused` is left again by another phase."""

    type: Literal["phase"]
    name: PhaseName


class Model(_Event):
    """The model is loaded and its trainable part is known."""

    type: Literal["model"]
    trainable_parameters: int
    total_parameters: int
    matched_modules: int
    matrices: list[str] = []
    layers: int | None = None


class Metrics(_Event, RewardNumbers):
    """A training report. Losses are means per token in nats, memory is in 10^9 bytes.

    Of what rewards and preferences add, the run names what its method has.
    """

    type: Literal["metrics"]
    step: int
    train_loss: float | None = None
    learning_rate: float | None = None
    iterations_per_second: float | None = None
    tokens_per_second: float | None = None
    trained_tokens: int | None = None
    peak_memory_gb: float | None = None
    epoch: float | None = None


class Validation(_Event, ValidationNumbers):
    """A validation pass over the weights after `step` updates."""

    type: Literal["validation"]
    step: int
    val_loss: float | None = None
    val_time: float | None = None


class Checkpoint(_Event):
    """A numbered adapter file was written."""

    type: Literal["checkpoint"]
    step: int
    path: str


class Best(_Event):
    """The best adapter so far was kept, from the very weights that were validated.

    It is best by `metric`: lowest for a loss, highest for all else. A run that names none goes by
    its validation loss.
    """

    type: Literal["best"]
    step: int
    path: str
    val_loss: float | None = None
    metric: Metric = "val_loss"
    value: float | None = None


class Tested(_Event):
    """The test set was measured once, with the weights of the end."""

    type: Literal["test"]
    step: int
    test_loss: float | None = None
    test_perplexity: float | None = None


class Sample(_Event, SampleData):
    """A completion made while training, with what the reward functions gave for it, if any do."""

    type: Literal["sample"]


class Warning(_Event):
    """Something the user should know; the run goes on."""

    type: Literal["warning"]
    code: str
    message: str
    hint: str | None = None


class EarlyStop(_Event):
    """Validation did not improve for `patience` evaluations; the run ends by itself."""

    type: Literal["early_stop"]
    step: int
    best_step: int | None = None


class Resumed(_Event):
    """Not from the run itself: what stands above happened in the session that it continues."""

    type: Literal["resumed"]
    step: int
    session_id: str


class Exit(_Event):
    """The last event of a run that could still speak. `saved`: whether a stop saved the adapter."""

    type: Literal["exit"]
    state: Literal["completed", "stopped", "error"]
    code: int
    message: str
    hint: str | None = None
    saved: bool | None = None


Event = Annotated[
    Phase
    | Model
    | Metrics
    | Validation
    | Tested
    | Checkpoint
    | Best
    | Sample
    | Warning
    | EarlyStop
    | Resumed
    | Exit,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(raw: Any) -> Event | None:
    """Parse one line's JSON value; None for a type or shape this version does not know."""
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError:
        return None
