"""What can be asked of the inference worker, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.adapters.finder import ReadyAdapter
from backend.contract.answers import AnswerEnd
from backend.contract.inference_frames import AdapterSpec, AnswerProgress, ModelInput, Token
from backend.contract.sampling import Sampling
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
    def spec(self) -> AdapterSpec | None:
        """What the worker is told of the adapter; None for the bare base."""
        return dict(self.adapter.spec) if self.adapter else None


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

    def question(self) -> ModelInput:
        return ModelInput(
            prompt=self.prompt,
            messages=self.messages,
            system=self.system,
            raw=self.raw,
            template_variables=self.template_variables,
        )


Piece = AnswerProgress | Token | AnswerEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    text: str
    done: AnswerEnd
