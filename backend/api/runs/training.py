"""The standard tab: preview, start, stop, and what is going on."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.jobs.run.schemas import TrainingStatus
from backend.training.request.sft_fields import StandardStart
from backend.training.schemas import (
    HeldOutPrompts,
    LogsAnswer,
    PauseAnswer,
    Preview,
    StartAnswer,
    StopAnswer,
)

router = APIRouter(prefix="/training", tags=["training"])


class StopRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    save: bool = True
    hold_queue: bool = Field(
        False, description="Start no waiting run after it: for whoever ends the server next."
    )


@router.post("/start", responses=refuses(404, 409, 504, 507))
async def start_training(
    body: StandardStart,
    services: Wired,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> StartAnswer:
    return await services.training.start(body, idempotency_key=idempotency_key)


@router.post("/preview", responses=refuses(404, 409, 504, 507))
async def preview_training(body: StandardStart, services: Wired) -> Preview:
    services.spare_engine.want()
    return await services.training.preview(body)


@router.post("/held-out-prompts", responses=refuses(404, 409, 504, 507))
async def training_held_out_prompts(body: StandardStart, services: Wired) -> HeldOutPrompts:
    """Questions that this start would only validate on, for `sample_prompts`."""
    return await services.training.held_out_prompts(body)


@router.post("/stop")
async def stop_training(services: Wired, body: StopRequest | None = None) -> StopAnswer:
    if body is not None and body.hold_queue:
        services.queue.hold()
    return await services.training.stop(save=body.save if body else True)


@router.get("/status")
async def training_status(services: Wired) -> TrainingStatus:
    return services.supervisor.status()


@router.get("/logs")
async def training_logs(
    services: Wired, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> LogsAnswer:
    return LogsAnswer(logs=await asyncio.to_thread(services.supervisor.logs, limit))


@router.post("/pause", responses=refuses(409))
async def pause_training(services: Wired) -> PauseAnswer:
    """Before the next step; `running` while the current one is not done."""
    return PauseAnswer(status=await services.supervisor.pause())


@router.post("/resume", responses=refuses(409))
async def resume_training(services: Wired) -> PauseAnswer:
    return PauseAnswer(status=await services.supervisor.resume())
