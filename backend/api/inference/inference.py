"""Ask a base model or an adapter, and look after the worker that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.api.sse import EventStream, begun, error_data, event, while_connected
from backend.contract.answers import Done
from backend.contract.inference_frames import Progress, Token
from backend.errors import AppError, WrongState
from backend.inference.answers import shown
from backend.inference.available import available
from backend.inference.requests import InferenceRequest, TestRequest
from backend.inference.schemas import AvailableModels, InferenceAnswer, WorkerState
from backend.inference.types import Ask, Piece, Target

router = APIRouter(tags=["inference"])

_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "With `stream`, `text/event-stream`: `progress` {phase, done, total}, "
        "`token` {text}, `done` (this answer) and `error`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class Unloaded(BaseModel):
    """`unloaded` is false when nothing was loaded."""

    unloaded: bool
    message: str


@router.post(
    "/models/inference",
    response_model=InferenceAnswer,
    responses={**_STREAMS, **refuses(404, 409, 504)},
)
async def ask_model(
    body: InferenceRequest, services: Wired, request: Request
) -> InferenceAnswer | Response:
    """An adapter of another base is refused with both names; an unknown one is never replaced by
    the base.
    """
    host = services.inference
    target = await host.target(
        body.model_name,
        body.adapter_name,
        body.checkpoint,
        allow_other_base=body.allow_other_base,
    )
    ask = body.ask()
    if not body.stream:
        return await while_connected(request, _whole(services, target, ask, body.question))
    pieces = await while_connected(request, begun(host.stream(target, ask)))
    return EventStream(_events(pieces, target, ask, body.question))


@router.get("/models/available")
async def available_models(services: Wired) -> AvailableModels:
    return await asyncio.to_thread(available, services.models, services.inference.adapters)


@router.get("/models/worker")
async def inference_worker(services: Wired) -> WorkerState:
    return await services.inference.state()


@router.post("/models/unload")
async def unload_model(services: Wired) -> Unloaded:
    """Give the model's memory back at once, also in the middle of an answer."""
    done = await services.inference.unload()
    message = "The model was unloaded." if done else "No model was loaded."
    return Unloaded(unloaded=done, message=message)


@router.post("/model/test", responses=refuses(404, 409, 504))
async def test_adapter(body: TestRequest, services: Wired, request: Request) -> InferenceAnswer:
    """The loaded session's adapter answers."""
    target = await _session_target(services, with_adapter=True)
    return await while_connected(request, _whole(services, target, body.ask(), body.prompt))


@router.post("/model/test-base", responses=refuses(404, 409, 504))
async def test_base(body: TestRequest, services: Wired, request: Request) -> InferenceAnswer:
    """The loaded session's base answers, without its adapter."""
    target = await _session_target(services, with_adapter=False)
    return await while_connected(request, _whole(services, target, body.ask(), body.prompt))


async def _whole(services: Services, target: Target, ask: Ask, question: str) -> InferenceAnswer:
    answer = await services.inference.answer(target, ask)
    return shown(target, ask, question, answer.text, answer.done)


async def _events(
    pieces: AsyncGenerator[Piece, None], target: Target, ask: Ask, question: str
) -> AsyncGenerator[bytes, None]:
    text: list[str] = []
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                match piece:
                    case Token():
                        text.append(piece.text)
                        yield event("token", {"text": piece.text})
                    case Progress():
                        yield event(
                            "progress",
                            {"phase": piece.phase, "done": piece.done, "total": piece.total},
                        )
                    case Done():
                        yield event("done", shown(target, ask, question, "".join(text), piece))
    except AppError as problem:
        yield event("error", error_data(problem))


async def _session_target(services: Services, *, with_adapter: bool) -> Target:
    session = services.supervisor.status().session_id
    if session is None:
        raise WrongState(
            "No session is loaded, so there is nothing to test.",
            hint="Train a model, or load a session from Results.",
        )
    record = await asyncio.to_thread(services.store.record, session)
    model = record.config.get("model_path")
    if not isinstance(model, str) or not model:
        raise WrongState(
            f"The record of session {session} does not say which model it trained.",
            hint="Load another session.",
        )
    adapter = record.config.get("adapter_name")
    folder = Path(record.adapter_path).parent if record.adapter_path else None
    adapter_name = adapter if isinstance(adapter, str) and adapter else None
    if folder is not None and await asyncio.to_thread(folder.is_dir):
        adapter_name = str(folder)
    if with_adapter and not adapter_name:
        raise WrongState(
            f"Session {session} has no adapter.", hint="Load a session that was trained."
        )
    return await services.inference.target(model, adapter_name if with_adapter else None)
