"""What goes between the server and the inference worker: requests one way, frames the other.

Each is a line of JSON: a request has `id` and `op` beside its fields, a frame `id` and `type`. The
last frame of a request is `done` or `error`, and has the worker's `status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.contract.answers import AnswerEnd
from backend.contract.sampling import Sampling

AdapterSpec = Mapping[str, Any]  # As backend/adapters/finder.py writes it.

NOT_TOGETHER = "not_together"  # The code of a refusal after which the caller asks in turn.

# -- requests -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """A `prompt`, or the `messages` of a conversation; `raw` gives the prompt as it stands."""

    prompt: str | None = None
    messages: tuple[Mapping[str, Any], ...] | None = None
    system: str | None = None
    raw: bool = False
    template_variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRequest:
    """What every request names: the base, the adapter on it if any, and a deadline in seconds."""

    model: str
    adapter: AdapterSpec | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest(WorkerRequest):
    """`generate`: one answer, token by token. What was read of a `conversation` is kept."""

    question: ModelInput
    sampling: Sampling
    conversation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherRequest(WorkerRequest):
    """`together`: the same question to several adapters on one base, in one batch."""

    adapters: tuple[AdapterSpec | None, ...]
    question: ModelInput
    sampling: Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One question of several, and how it is answered."""

    question: ModelInput
    sampling: Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest(WorkerRequest):
    """`batch`: several questions to one target. The seed is that of the first."""

    prompts: tuple[BatchItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest(WorkerRequest):
    """`score`: the loss of the answers in rows of training data."""

    rows: tuple[Mapping[str, Any], ...]
    max_seq_length: int | None = None


# -- frames -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerProgress:
    """What happens before the first token: the model is loaded, a long prompt is read."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of an answer; never empty, and sometimes several tokens. `row` is the place of
    its target, of several.
    """

    text: str
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFrame:
    """One of several answers is done: that at place `index` of the request. Of `batch`, its text
    comes with it.
    """

    index: int
    end: AnswerEnd
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowScore:
    """`loss` is the summed negative log-likelihood (nats) of the `tokens` of the row's answers;
    `correct` of them were the model's first choice. `problem` says why a row has none.
    """

    loss: float = 0.0
    tokens: int = 0
    correct: int = 0
    truncated: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of all rows together, and of each in order. Loss per token is `loss / tokens`, perplexity
    its exponential; both are unknown when `tokens` is 0.
    """

    rows: tuple[RowScore, ...]
    loss: float
    tokens: int
    correct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnd:
    """Whether the answers were made side by side, and the seconds of all of them."""

    batched: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRefusal:
    """`error`: why a request could not be met. The server makes a status of the code."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """What is loaded, and what it takes in bytes; null where nothing is."""

    base: str | None = None
    adapter: str | None = None
    adapters_known: tuple[str, ...] | None = None
    base_bytes: int | None = None
    adapter_bytes: int | None = None
    conversation_bytes: int | None = None
    active_bytes: int | None = None
    chat_template: bool | None = None
    context_length: int | None = None
