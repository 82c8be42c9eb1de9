"""Ask several targets the same: their answers come side by side in one stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.api.sse import EventStream, error_data, event, while_connected
from backend.contract.answers import Done
from backend.contract.inference_frames import Progress, Token
from backend.errors import AppError, FieldProblem
from backend.inference.answers import shown
from backend.inference.compare import Heard, Plan, compare
from backend.inference.requests import CompareRequest
from backend.inference.schemas import CompareAnswer, ComparedAnswer
from backend.inference.types import Target

router = APIRouter(tags=["inference"])

_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "With `stream` (the default), `text/event-stream`: `plan` {mode, reason, "
        "targets}, `progress` {target, phase, done, total}, `token` {target, text}, `done` {target,"
        " answer}, `error` {target, …}, and last `end`. `target` counts from 0.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/models/compare",
    response_model=CompareAnswer,
    responses={**_STREAMS, **refuses(404, 409, 504)},
)
async def compare_models(
    body: CompareRequest, services: Wired, request: Request
) -> CompareAnswer | Response:
    """The answer says whether the targets shared one batch, and why or why not."""
    services.inference.require_open(during_run=body.during_run)
    targets = [await _target(services, body, place) for place in range(len(body.targets))]
    if body.stream:
        return EventStream(_events(services, body, targets))
    return await while_connected(request, _whole(services, body, targets))


async def _target(services: Services, body: CompareRequest, place: int) -> Target:
    fields = body.targets[place]
    try:
        return await services.inference.target(
            fields.model_name,
            fields.adapter_name,
            fields.checkpoint,
            allow_other_base=fields.allow_other_base,
        )
    except AppError as problem:
        problem.errors = (FieldProblem(f"targets.{place}", problem.detail),)
        raise


async def _events(
    services: Services, body: CompareRequest, targets: list[Target]
) -> AsyncGenerator[bytes, None]:
    asks = body.asks()
    texts = [""] * len(targets)
    async with aclosing(
        compare(services.inference, targets, asks, together=body.together)
    ) as heard:
        async for item in heard:
            if isinstance(item, Plan):
                names = [target.name for target in targets]
                yield event("plan", {"mode": item.mode, "reason": item.reason, "targets": names})
                continue
            place, piece = item.index, item.piece
            match piece:
                case Token():
                    texts[place] += piece.text
                    yield event("token", {"target": place, "text": piece.text})
                case Progress():
                    values = {"phase": piece.phase, "done": piece.done, "total": piece.total}
                    yield event("progress", {"target": place, **values})
                case Done():
                    answer = shown(targets[place], asks[place], body.question, texts[place], piece)
                    values = {"target": place, "answer": answer.model_dump(mode="json")}
                    yield event("done", values)
                case _:
                    failed = error_data(piece).model_dump(
                        mode="json", exclude={"success", "errors"}
                    )
                    yield event("error", {"target": place, **failed})
    yield event("end", {})


async def _whole(services: Services, body: CompareRequest, targets: list[Target]) -> CompareAnswer:
    asks = body.asks()
    texts = [""] * len(targets)
    answers = [ComparedAnswer(target=target.name) for target in targets]
    plan = Plan(mode="in_turn", reason="")
    async with aclosing(
        compare(services.inference, targets, asks, together=body.together)
    ) as heard:
        async for item in heard:
            match item:
                case Plan():
                    plan = item
                case Heard(place, Token(text)):
                    texts[place] += text
                case Heard(place, Done() as done):
                    answers[place].answer = shown(
                        targets[place], asks[place], body.question, texts[place], done
                    )
                case Heard(place, AppError() as problem):
                    answers[place].error = error_data(problem)
    return CompareAnswer(mode=plan.mode, reason=plan.reason, answers=answers)
