"""Adapters: what is there, renamed, tagged, deleted, and taken in from other programs."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from backend.adapters.schemas import (
    AdapterChange,
    AdapterDeleted,
    AdapterImport,
    AdapterInfo,
    AdaptersAnswer,
)
from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.evaluation.schemas import AdapterPrompts

router = APIRouter(prefix="/adapters", tags=["adapters"])


@router.get("")
async def list_adapters(services: Wired) -> AdaptersAnswer:
    return AdaptersAnswer(adapters=await asyncio.to_thread(services.adapters.listed))


@router.post("/import", responses=refuses(404, 409, 507))
async def import_adapter(body: AdapterImport, services: Wired) -> AdapterInfo:
    """A copy of an adapter of PEFT, or of plain mlx_lm, after a look at what it holds."""
    return await asyncio.to_thread(services.adapters.take_in, body)


@router.get("/{name}/prompts", responses=refuses(404))
async def adapter_prompts(
    name: str, services: Wired, limit: Annotated[int, Query(ge=1, le=500)] = 3
) -> AdapterPrompts:
    """The system prompt of its training rows, and prompts that it was not trained on."""
    return await asyncio.to_thread(services.evaluator.prompts, name, limit)


@router.patch("/{name}", responses=refuses(404, 409, 507))
async def change_adapter(name: str, body: AdapterChange, services: Wired) -> AdapterInfo:
    """A new name, other tags. Its session finds it under the new name."""
    return await asyncio.to_thread(services.adapters.change, name, body)


@router.delete("/{name}", responses=refuses(404, 409, 422, 507))
async def delete_adapter(name: str, services: Wired) -> AdapterDeleted:
    """Refused while a run, the inference worker or an evaluation uses it."""
    await asyncio.to_thread(services.adapters.delete, name)
    return AdapterDeleted(deleted=name, message=f"The adapter {name} is deleted.")
