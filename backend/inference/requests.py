"""The bodies of the inference routes, and how they become questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from backend.contract.sampling import Sampling
from backend.core.limits import MOST_STEPS
from backend.inference.types import Ask

MAX_TOKENS = 131_072  # The context of the model is the real limit; this one catches slips.

_DEFAULT = Sampling()
_STRICT = ConfigDict(extra="forbid", strict=True)
Seed = Annotated[int, Field(ge=0, lt=2**63)]


def _step_as_text(value: Any) -> Any:
    """A step's number is taken as text too, as it stands in an address."""
    if not isinstance(value, str) or value in ("best", "latest"):
        return value
    if value.isascii() and value.isdecimal() and len(value) <= 7:
        return int(value)
    raise ValueError("must be best, latest or the number of a step")


def _whole_text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as problem:
        raise ValueError(
            f"character {problem.start} is half of a surrogate pair, which no text can hold"
        ) from None
    return value


PlainText = Annotated[str, AfterValidator(_whole_text)]
AsText = BeforeValidator(_step_as_text)
Checkpoint = Annotated[
    Literal["best", "latest"] | Annotated[int, Field(ge=0, le=MOST_STEPS)], AsText
]
OtherBase = Annotated[
    bool,
    Field(description="Use the adapter also on a base that it does not name, if all shapes fit."),
]
StopText = Annotated[PlainText, Field(min_length=1, max_length=200)]


class ChatMessage(BaseModel):
    model_config = _STRICT

    role: Literal["system", "user", "assistant", "tool"]
    content: PlainText


class SamplingFields(BaseModel):
    """How tokens are chosen; the defaults are those of the Compare page."""

    max_tokens: int = Field(_DEFAULT.max_tokens, ge=1, le=MAX_TOKENS)
    temperature: float = Field(_DEFAULT.temperature, ge=0, le=5, allow_inf_nan=False)
    top_p: float = Field(_DEFAULT.top_p, gt=0, le=1, allow_inf_nan=False)
    min_p: float = Field(_DEFAULT.min_p, ge=0, le=1, allow_inf_nan=False)
    top_k: int = Field(_DEFAULT.top_k, ge=0, le=1_000_000)
    repetition_penalty: float | None = Field(None, gt=0, le=10, allow_inf_nan=False)
    seed: Seed | None = None
    stop: list[StopText] = Field([], max_length=16)

    def sampling(self) -> Sampling:
        return Sampling(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            min_p=self.min_p,
            top_k=self.top_k,
            repetition_penalty=self.repetition_penalty,
            seed=self.seed,
            stop=tuple(self.stop),
        )


class QuestionFields(SamplingFields):
    """A `prompt`, or the `messages` of a conversation; never both.

    `raw` gives the prompt to the model as it is, without its chat template. A `conversation` is a
    name of the caller's choice: what was read under it before is not read again.
    """

    prompt: PlainText | None = None
    messages: list[ChatMessage] | None = Field(None, max_length=1000)
    system: PlainText | None = None
    raw: bool = False
    conversation: str | None = Field(None, min_length=1, max_length=200)
    during_run: bool = Field(
        False, description="Ask even while a run is active, and share the memory with it."
    )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either a prompt or messages")
        if self.prompt is not None and not self.prompt.strip():
            raise ValueError("the prompt is empty")
        if self.messages is not None and not self.messages:
            raise ValueError("messages is empty")
        if self.raw and self.prompt is None:
            raise ValueError("raw needs a prompt, since messages go through the chat template")
        return self

    @property
    def question(self) -> str:
        """What the answer repeats as `prompt`: of a conversation, the last message."""
        if self.prompt is not None:
            return self.prompt
        return self.messages[-1].content if self.messages else ""

    def ask(self) -> Ask:
        messages = self.messages
        return Ask(
            prompt=self.prompt,
            messages=tuple(m.model_dump() for m in messages) if messages is not None else None,
            system=self.system,
            raw=self.raw,
            sampling=self.sampling(),
            conversation=self.conversation,
            during_run=self.during_run,
        )


class CompareTarget(BaseModel):
    """Who is asked. Without a `checkpoint`, the best one is taken, else the latest."""

    model_config = _STRICT

    model_name: str = Field(min_length=1, max_length=4096)
    adapter_name: str | None = Field(None, min_length=1, max_length=4096)
    checkpoint: Checkpoint | None = None
    allow_other_base: OtherBase = False
    messages: list[ChatMessage] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Its own conversation, with its own earlier answers, in place of the "
        "question's `prompt` or `messages`.",
    )


class InferenceRequest(QuestionFields, CompareTarget):
    """POST /models/inference."""

    model_config = _STRICT

    stream: bool = False


class CompareRequest(QuestionFields):
    """POST /models/compare: one question to several targets. `together` false asks them one after
    the other even where one batch could answer both. A target with `messages` of its own continues
    that conversation.
    """

    model_config = _STRICT

    targets: list[CompareTarget] = Field(min_length=1, max_length=8)
    together: bool = True
    stream: bool = True

    @model_validator(mode="after")
    def _not_raw(self) -> Self:
        if self.raw and any(target.messages for target in self.targets):
            raise ValueError("raw needs a prompt, since messages go through the chat template")
        return self

    def asks(self) -> list[Ask]:
        """What each target is asked."""
        ask = self.ask()
        return [
            replace(ask, prompt=None, messages=tuple(m.model_dump() for m in target.messages))
            if target.messages
            else ask
            for target in self.targets
        ]


class TestRequest(BaseModel):
    """POST /model/test and /model/test-base: the loaded session answers."""

    model_config = _STRICT

    prompt: PlainText = Field(min_length=1)
    max_tokens: int = Field(1024, ge=1, le=MAX_TOKENS)
    temperature: float = Field(_DEFAULT.temperature, ge=0, le=5, allow_inf_nan=False)
    during_run: bool = False

    def ask(self) -> Ask:
        sampling = Sampling(max_tokens=self.max_tokens, temperature=self.temperature)
        return Ask(prompt=self.prompt, sampling=sampling, during_run=self.during_run)
