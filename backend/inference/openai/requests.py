"""The bodies of the OpenAI-compatible routes, and how they become questions.

What this service can't do is refused by name; fields it has never heard of are let through, as the
clients of that API send many.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backend.contract.sampling import Sampling
from backend.core.limits import MOST
from backend.inference.requests import MAX_TOKENS, OtherBase, PlainText, Seed, StopText
from backend.inference.types import Ask

CHAT_TOKENS = 1024  # Unless the request says otherwise.
PLAIN_TOKENS = 16  # OpenAI's own default for plain completions.

_OPEN = ConfigDict(extra="allow", strict=True)
# What the request itself gives, or how the engine calls the template.
_TEMPLATE_OWN = {
    "messages", "conversation", "tools", "documents", "chat_template", "tokenize",
    "add_generation_prompt", "continue_final_message", "padding", "truncation", "max_length",
    "return_tensors", "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs",
}  # fmt: skip
_NOT_DONE = (
    "tools", "functions", "logprobs", "logit_bias", "presence_penalty", "frequency_penalty",
    "suffix", "echo", "audio", "prediction",
)  # fmt: skip


def _no_limit(value: Any) -> Any:
    return MAX_TOKENS if type(value) is int and value == -1 else value


def _random_seed(value: Any) -> Any:
    return None if type(value) is int and value == -1 else value


# As other servers read them: -1 tokens is no limit of its own, the seed -1 another one each time.
Tokens = Annotated[int, Field(ge=1, le=MAX_TOKENS), BeforeValidator(_no_limit)]
Stops = Annotated[list[StopText], Field(max_length=16)]


class FieldInvalid(PydanticCustomError):
    """A field that is at fault for a rule over several; the answer names it as `param`."""

    def __new__(cls, field: str, message: str) -> FieldInvalid:
        return super().__new__(cls, "of_field", "{reason}", {"field": field, "reason": message})


class TextPart(BaseModel):
    model_config = _OPEN

    type: Literal["text"]
    text: PlainText


class ToolFunction(BaseModel):
    model_config = _OPEN

    name: PlainText = Field(min_length=1)
    arguments: PlainText | dict[str, Any] = ""


class ToolCall(BaseModel):
    """A call in the history. OpenAI writes its arguments as a JSON text; templates want the object
    that it stands for.
    """

    model_config = _OPEN

    id: PlainText | None = None
    type: Literal["function"] = "function"
    function: ToolFunction

    def plain(self) -> dict[str, Any]:
        arguments = self.function.arguments
        if isinstance(arguments, str):
            try:
                read = json.loads(arguments) if arguments.strip() else {}
            except (ValueError, RecursionError):
                read = arguments
            arguments = read if isinstance(read, dict) else arguments
        call = {"type": self.type, "function": {"name": self.function.name, "arguments": arguments}}
        return call if self.id is None else {"id": self.id, **call}


class OpenAIMessage(BaseModel):
    """`content` as text or as a list of text parts; pictures and sound are refused."""

    model_config = _OPEN

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: PlainText | list[TextPart] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: PlainText | None = None
    name: PlainText | None = None

    @model_validator(mode="after")
    def _no_old_call(self) -> Self:
        if (self.model_extra or {}).get("function_call"):
            raise ValueError("function_call is the old form; send tool_calls")
        return self

    def plain(self) -> dict[str, Any]:
        """As a chat template takes it, with the calls for those that write them."""
        content = self.content
        if isinstance(content, list):
            content = "".join(part.text for part in content)
        role = "system" if self.role == "developer" else self.role
        message: dict[str, Any] = {"role": role, "content": content or ""}
        if self.tool_calls:
            message["tool_calls"] = [call.plain() for call in self.tool_calls]
        for name in ("tool_call_id", "name"):
            if getattr(self, name) is not None:
                message[name] = getattr(self, name)
        return message


class StreamOptions(BaseModel):
    model_config = _OPEN

    include_usage: bool = False


class OpenAIRequest(BaseModel):
    """What chat and plain completions share. `top_k`, `min_p`, `repetition_penalty`, `during_run`
    and `allow_other_base` are this service's own: give them as `extra_body`.
    """

    model_config = _OPEN

    model: str = Field(min_length=1, max_length=4096)
    temperature: float | None = Field(None, ge=0, le=5, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    top_k: int | None = Field(None, ge=0, le=1_000_000)
    min_p: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    repetition_penalty: float | None = Field(None, gt=0, le=10, allow_inf_nan=False)
    seed: Annotated[Seed | None, BeforeValidator(_random_seed)] = None
    stop: PlainText | Stops | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, le=MOST)
    during_run: bool = False
    allow_other_base: OtherBase = False

    @model_validator(mode="after")
    def _only_what_can_be_done(self) -> Self:
        if self.n not in (None, 1):
            raise FieldInvalid("n", f"n is {self.n}, and one answer at a time is given")
        extra = self.model_extra or {}
        if extra.get("best_of") not in (None, 1):
            raise FieldInvalid(
                "best_of", f"best_of is {extra['best_of']!r}, and one answer is made per prompt"
            )
        unknown = [name for name in _NOT_DONE if extra.get(name)]
        if unknown:
            raise FieldInvalid(unknown[0], f"{unknown[0]} is not supported by this service")
        response_format = extra.get("response_format")
        if isinstance(response_format, dict) and response_format.get("type") not in (None, "text"):
            raise FieldInvalid(
                "response_format",
                "response_format can only be text: output is not constrained here",
            )
        return self

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def sampling(self, max_tokens: int) -> Sampling:
        """With OpenAI's defaults: temperature 1, and every token may be chosen."""
        return Sampling(
            max_tokens=max_tokens,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            min_p=self.min_p or 0.0,
            top_k=self.top_k or 0,
            repetition_penalty=self.repetition_penalty,
            seed=self.seed,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()),
        )


class ChatRequest(OpenAIRequest):
    """POST /v1/chat/completions."""

    messages: list[OpenAIMessage] = Field(min_length=1, max_length=1000)
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    chat_template_kwargs: dict[str, Any] | None = Field(
        None, description="Variables for the chat template, such as enable_thinking."
    )

    @model_validator(mode="after")
    def _only_free_variables(self) -> Self:
        taken = sorted(_TEMPLATE_OWN & (self.chat_template_kwargs or {}).keys())
        if taken:
            raise FieldInvalid("chat_template_kwargs", f"chat_template_kwargs can't set {taken[0]}")
        return self

    def ask(self) -> Ask:
        messages = tuple(message.plain() for message in self.messages)
        limit = self.max_completion_tokens or self.max_tokens or CHAT_TOKENS
        return Ask(
            messages=messages,
            template_variables=self.chat_template_kwargs or {},
            sampling=self.sampling(limit),
            # A seed promises the same answer again, to the last bit: nothing is taken from before.
            conversation=None if self.seed is not None else _conversation(messages),
            during_run=self.during_run,
        )


class CompletionRequest(OpenAIRequest):
    """POST /v1/completions: the prompt goes to the model as it is."""

    prompt: PlainText | Annotated[list[PlainText], Field(min_length=1, max_length=64)]
    max_tokens: Tokens | None = None

    @model_validator(mode="after")
    def _one_stream(self) -> Self:
        if self.stream and isinstance(self.prompt, list) and len(self.prompt) > 1:
            raise FieldInvalid(
                "stream", "several prompts can't be streamed; send one, or leave out stream"
            )
        return self

    def asks(self) -> list[Ask]:
        sampling = self.sampling(self.max_tokens or PLAIN_TOKENS)
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        return [
            Ask(prompt=prompt, raw=True, sampling=sampling, during_run=self.during_run)
            for prompt in prompts
        ]


def _conversation(messages: tuple[dict[str, Any], ...]) -> str:
    """The same for every turn of a talk: its beginning, up to the first question."""
    first = next((at for at, m in enumerate(messages) if m["role"] == "user"), 0)
    digest = hashlib.sha256()
    for message in messages[: first + 1]:
        digest.update(json.dumps(message, sort_keys=True).encode(errors="replace"))
    return f"openai:{digest.hexdigest()}"
