"""Answers, pieces and refusals in the shapes of the OpenAI API."""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal

from pydantic import BaseModel, Field

from backend.contract.answers import AnswerStats

Finish = Literal["stop", "length"] | None


class CachedTokens(BaseModel):
    cached_tokens: int


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens

    @classmethod
    def of(cls, *answers: AnswerStats) -> Usage:
        prompt = sum(stats.prompt_tokens for stats in answers)
        completion = sum(stats.completion_tokens for stats in answers)
        cached = CachedTokens(cached_tokens=sum(stats.cached_tokens for stats in answers))
        return cls(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            prompt_tokens_details=cached,
        )


class ModelEntry(BaseModel):
    """`id` is `base` or `base+adapter`; with `@best`, `@latest` or a step it names a checkpoint."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "local"


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelEntry]


class AssistantMessage(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class ChatChoice(BaseModel):
    index: int = 0
    message: AssistantMessage
    finish_reason: Finish
    logprobs: None = None


class ChatCompletion(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class TextChoice(BaseModel):
    index: int = 0
    text: str
    finish_reason: Finish
    logprobs: None = None


class TextCompletion(BaseModel):
    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage


class OpenAIProblem(BaseModel):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """How every refusal of these routes looks."""

    error: OpenAIProblem


class Identity(BaseModel):
    """What an answer and all pieces of its stream have in common."""

    id: str
    created: int = Field(default_factory=lambda: int(time.time()))
    model: str

    @classmethod
    def new(cls, kind: Literal["chatcmpl", "cmpl"], model: str) -> Identity:
        return cls(id=f"{kind}-{secrets.token_hex(12)}", model=model)


def chat_piece(
    who: Identity, delta: dict[str, Any], finish: Finish = None, usage: Usage | None = None
) -> dict[str, Any]:
    """One piece of a streamed chat answer; with `usage`, the one without choices."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return _piece(who, "chat.completion.chunk", choice, usage)


def text_piece(
    who: Identity, text: str, finish: Finish = None, usage: Usage | None = None
) -> dict[str, Any]:
    """One piece of a streamed plain answer."""
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    return _piece(who, "text_completion", choice, usage)


def problem(status: int, name: str, message: str, *, param: str | None = None) -> OpenAIError:
    """A refusal of this service in OpenAI's words."""
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = "model_not_found" if name == "NotFound" else name
    return OpenAIError(error=OpenAIProblem(message=message, type=kind, param=param, code=code))


def _piece(who: Identity, kind: str, choice: dict[str, Any], usage: Usage | None) -> dict[str, Any]:
    return {
        "id": who.id,
        "object": kind,
        "created": who.created,
        "model": who.model,
        "choices": [] if usage else [choice],
        "usage": usage.model_dump() if usage else None,
    }
