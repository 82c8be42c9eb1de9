"""What can be asked of the inference worker, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from backend.adapters.finder import ReadyAdapter
from backend.contract.sampling import Sampling
from backend.contract.thoughts import Marks, Split, split_thoughts
from backend.models.schemas import ModelInfo

Message = Mapping[str, Any]  # {"role": "system" | "user" | "assistant", "content": text}

DEADLINE = 600.0  # Seconds for an answer, loading the model included.


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Who answers: a base, and the adapter on it if any. Made by `InferenceHost.target`."""

    model: ModelInfo
    adapter: ReadyAdapter | None = None

    @property
    def name(self) -> str:
        """`base`, or `base+adapter@checkpoint`."""
        if self.adapter is None:
            return self.model.name
        return f"{self.model.name}+{self.adapter.name}@{self.adapter.checkpoint}"

    @property
    def spec(self) -> dict[str, Any] | None:
        """What the worker is told of the adapter; None for the bare base."""
        return dict(self.adapter.spec) if self.adapter else None

    def fields(self) -> dict[str, Any]:
        return {"model": self.model.path, "adapter": self.spec}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question: a `prompt`, or the `messages` of a conversation.

    The model's chat template is used where it has one, unless the prompt is `raw`. With a
    `conversation` name, what was read of it before is not read again. `during_run` asks also while
    a run is active, which shares the memory with it.
    """

    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    system: str | None = None
    raw: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    conversation: str | None = None
    template_variables: Mapping[str, Any] = field(default_factory=dict)
    deadline: float = DEADLINE
    during_run: bool = False

    def content(self) -> dict[str, Any]:
        return {
            "prompt": self.prompt,
            "messages": list(self.messages) if self.messages is not None else None,
            "system": self.system,
            "raw": self.raw,
            "template_variables": dict(self.template_variables),
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """What happens before the first token: the model is loaded, a long prompt is read."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of the answer; never empty, and sometimes several tokens."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of an answer. Seconds are wall clock; `tokens_per_second` is null for one token.

    `model_load_seconds` is 0 where the base was there already, `swap_seconds` where the adapter
    was. `reloaded` says that a full fine-tune made loading the base again necessary. The marks of
    thoughts are those that the model's template or tokenizer names, or that ended the prompt.
    """

    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None
    model_load_seconds: float = 0.0
    swap_seconds: float = 0.0
    reloaded: bool = False
    chat_template_used: bool = False
    max_tokens: int = 0
    thought_marks: Sequence[Sequence[str]] = ()
    thoughts_opened: str | None = None
    repeated_mark: str | None = None

    def split(self, text: str) -> Split:
        """The answer's text with its thoughts set apart."""
        own = [Marks(begin, end) for begin, end in self.thought_marks]
        return split_thoughts(text, own=own, opened=self.thoughts_opened)

    @classmethod
    def of(cls, frame: Mapping[str, Any]) -> Done:
        """From the worker's words, which may say more."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in frame.items() if name in known})


Piece = Progress | Token | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    text: str
    done: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class RowScore:
    """`loss` is the summed negative log-likelihood (nats) of the `tokens` of the row's answers;
    `correct` of them were the model's first choice. `problem` says why a row has none.
    """

    loss: float
    tokens: int
    correct: int
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
