"""Fusion: several adapters of one base merged into one, and what that one still knows."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.errors import WrongState
from backend.fusion.schemas import (
    FuseRequest,
    FusionAdapters,
    FusionAnswer,
    FusionCheck,
    FusionResultAnswer,
    FusionStarted,
    FusionStatus,
    Name,
)

router = APIRouter(prefix="/api/fusion", tags=["fusion"])


@router.get("/list-adapters")
async def list_fusion_adapters(services: Wired) -> FusionAdapters:
    """Every adapter by its base, with why it can't be merged if so."""
    return await asyncio.to_thread(services.fusion.adapters)


@router.post("/validate")
async def validate_fusion(
    names: Annotated[list[Name], Body(max_length=50)], services: Wired
) -> FusionCheck:
    """Whether these adapters can be merged; nothing is begun."""
    return await asyncio.to_thread(services.fusion.check, names)


@router.post("/fuse", responses=refuses(400, 404, 409, 504, 507))
async def fuse_adapters(body: FuseRequest, services: Wired) -> FusionStarted:
    """Merge them into a new adapter, and score base, sources and result on the same rows."""
    return await services.fusion.start(body)


@router.get("/status")
async def fusion_status(services: Wired) -> FusionStatus:
    return await asyncio.to_thread(services.fusion.status)


@router.get("/result", responses=refuses(404, 409))
async def fusion_result(services: Wired) -> FusionResultAnswer:
    """Of the newest fusion that has one."""
    return await asyncio.to_thread(services.fusion.result)


@router.post("/stop", responses=refuses(409))
async def stop_fusion(services: Wired) -> FusionAnswer:
    """How it ended is told: it may have been done before the stop arrived."""
    if (job := await services.fusion.jobs.stop()) is None:
        raise WrongState("No fusion is running.")
    return FusionAnswer(message=job.message or services.fusion.jobs.kind.stopped)


@router.post("/reset", responses=refuses(409))
async def reset_fusion(services: Wired) -> FusionAnswer:
    """Show no fusion any more; the adapters that were made stay."""
    services.fusion.jobs.forget()
    return FusionAnswer(message="Ready for the next fusion.")
