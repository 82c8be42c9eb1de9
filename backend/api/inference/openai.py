"""The OpenAI API for tuned models: other programs ask the same worker as the Compare page.

`model` is `base` or `base+adapter[@checkpoint]`; adapters change per request on the resident base.
Refusals have OpenAI's shape here, so that its clients raise what their users expect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.sse import format_sse_event

from backend.api.errors import openai_answer, refusal_of
from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.api.sse import EventStream, begun, event, while_connected
from backend.contract.answers import AnswerStats, Done
from backend.contract.inference_frames import Progress, Token
from backend.errors import AppError, NotFound
from backend.inference.available import available
from backend.inference.model_names import parse_name, served_names
from backend.inference.openai.answers import (
    AssistantMessage,
    ChatChoice,
    ChatCompletion,
    Finish,
    Identity,
    ModelEntry,
    ModelList,
    OpenAIError,
    TextChoice,
    TextCompletion,
    Usage,
    chat_piece,
    problem,
    text_piece,
)
from backend.inference.openai.requests import ChatRequest, CompletionRequest, OpenAIRequest
from backend.inference.types import Ask, Piece, Target

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": OpenAIError, "description": "Refused, in OpenAI's shape."}
}


class OpenAIRoute(APIRoute):
    """Turns this service's refusals into OpenAI's shape."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except (AppError, RequestValidationError) as refusal:
                status, answer = await refusal_of(request, refusal)
                # A body that can't be used is 400 in that API.
                return openai_answer(400 if status == 422 else status, answer)

        return handled


router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute, responses=_REFUSED)


@router.get("/models")
async def served_models(services: Wired) -> ModelList:
    return ModelList(data=[_entry(name) for name in await _names(services)])


@router.get("/models/{model}", responses=refuses(404))
async def served_model(model: str, services: Wired) -> ModelEntry:
    await _target(services, model)
    return _entry(model)


@router.post("/chat/completions", response_model=ChatCompletion, responses=refuses(404, 409, 504))
async def chat_completion(
    body: ChatRequest, services: Wired, request: Request
) -> ChatCompletion | Response:
    target = await _target(services, body.model, allow_other_base=body.allow_other_base)
    ask, who = body.ask(), Identity.new("chatcmpl", body.model)
    if body.stream:
        return await _streamed(services, request, target, ask, _ChatPieces(who, body))
    answer = await while_connected(request, services.inference.answer(target, ask))
    choice = ChatChoice(
        message=AssistantMessage(content=answer.text), finish_reason=answer.done.stats.finish_reason
    )
    return ChatCompletion(**who.model_dump(), choices=[choice], usage=Usage.of(answer.done.stats))


@router.post("/completions", response_model=TextCompletion, responses=refuses(404, 409, 504))
async def text_completion(
    body: CompletionRequest, services: Wired, request: Request
) -> TextCompletion | Response:
    """Several prompts are answered in one batch."""
    target = await _target(services, body.model, allow_other_base=body.allow_other_base)
    asks, who = body.asks(), Identity.new("cmpl", body.model)
    if body.stream:
        return await _streamed(services, request, target, asks[0], _TextPieces(who, body))
    if len(asks) == 1:
        answers = [await while_connected(request, services.inference.answer(target, asks[0]))]
    else:
        answers = await while_connected(
            request,
            services.inference.answer_many(target, asks, during_run=body.during_run),
        )
    choices = [
        TextChoice(index=index, text=answer.text, finish_reason=answer.done.stats.finish_reason)
        for index, answer in enumerate(answers)
    ]
    usage = Usage.of(*(answer.done.stats for answer in answers))
    return TextCompletion(**who.model_dump(), choices=choices, usage=usage)


class _ChatPieces:
    """How a chat answer is streamed."""

    def __init__(self, who: Identity, body: OpenAIRequest) -> None:
        self._who = who
        self.wants_usage = body.wants_usage

    def first(self) -> dict[str, Any] | None:
        return chat_piece(self._who, {"role": "assistant", "content": ""})

    def text(self, text: str) -> dict[str, Any]:
        return chat_piece(self._who, {"content": text})

    def last(self, finish: Finish) -> dict[str, Any]:
        return chat_piece(self._who, {}, finish)

    def usage(self, stats: AnswerStats) -> dict[str, Any]:
        return chat_piece(self._who, {}, usage=Usage.of(stats))


class _TextPieces:
    """How a plain answer is streamed."""

    def __init__(self, who: Identity, body: OpenAIRequest) -> None:
        self._who = who
        self.wants_usage = body.wants_usage

    def first(self) -> dict[str, Any] | None:
        return None

    def text(self, text: str) -> dict[str, Any]:
        return text_piece(self._who, text)

    def last(self, finish: Finish) -> dict[str, Any]:
        return text_piece(self._who, "", finish)

    def usage(self, stats: AnswerStats) -> dict[str, Any]:
        return text_piece(self._who, "", usage=Usage.of(stats))


async def _streamed(
    services: Services,
    request: Request,
    target: Target,
    ask: Ask,
    shape: _ChatPieces | _TextPieces,
) -> Response:
    stream = _without_progress(services.inference.stream(target, ask))
    pieces = await while_connected(request, begun(stream))
    return EventStream(_events(pieces, shape))


async def _without_progress(
    pieces: AsyncGenerator[Piece, None],
) -> AsyncGenerator[Token | Done, None]:
    """OpenAI has no word for a model that is being loaded; so a refusal still has its status."""
    async with aclosing(pieces):
        async for piece in pieces:
            if not isinstance(piece, Progress):
                yield piece


async def _events(
    pieces: AsyncGenerator[Token | Done, None], shape: _ChatPieces | _TextPieces
) -> AsyncGenerator[bytes, None]:
    try:
        if first := shape.first():
            yield event(None, first)
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Token):
                    yield event(None, shape.text(piece.text))
                else:
                    yield event(None, shape.last(piece.stats.finish_reason))
                    if shape.wants_usage:
                        yield event(None, shape.usage(piece.stats))
    except AppError as refusal:
        refused = problem(refusal.status, type(refusal).__name__, _sentence(refusal))
        yield event(None, refused)
        return
    yield format_sse_event(data_str="[DONE]")


async def _names(services: Services) -> list[str]:
    listed = await asyncio.to_thread(available, services.models, services.inference.adapters)
    return list(served_names(listed))


async def _target(services: Services, name: str, *, allow_other_base: bool = False) -> Target:
    models = await asyncio.to_thread(services.models.scan)
    parsed = parse_name(name, {model.name for model in models})
    try:
        return await services.inference.target(
            parsed.model, parsed.adapter, parsed.checkpoint, allow_other_base=allow_other_base
        )
    except NotFound as unknown:
        unknown.hint = unknown.hint or "GET /v1/models lists them."
        raise


def _entry(name: str) -> ModelEntry:
    return ModelEntry(id=name, created=0)


def _sentence(refusal: AppError) -> str:
    return f"{refusal.detail} {refusal.hint}" if refusal.hint else refusal.detail
