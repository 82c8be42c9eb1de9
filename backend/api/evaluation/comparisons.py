"""What the Compare page keeps: its history, conversations, sets of prompts, and blind votes."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.comparisons.blind_votes import Standing, Standings, Vote
from backend.comparisons.chats import Chat, ChatIn, Chats
from backend.comparisons.history import (
    Comparison,
    ComparisonIn,
    Comparisons,
    NamedPromptSet,
    PromptSet,
    PromptSets,
    Rating,
)

router = APIRouter(prefix="/api", tags=["notebook"])


class Forgotten(BaseModel):
    """`undo` is the id by which POST /api/trash/{id}/restore puts them back; null if it can't."""

    deleted: int
    undo: str | None = None


@router.get("/comparisons")
async def list_comparisons(
    services: Wired,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=80)] = None,
) -> Comparisons:
    return await asyncio.to_thread(services.notebook.page, limit, cursor)


@router.post("/comparisons", responses=refuses(409, 507))
async def keep_comparison(body: ComparisonIn, services: Wired) -> Comparison:
    return await asyncio.to_thread(services.notebook.keep, body)


@router.delete("/comparisons", responses=refuses(409, 507))
async def forget_comparisons(services: Wired) -> Forgotten:
    """All of them."""
    deleted, undo = await asyncio.to_thread(services.notebook.forget_all)
    return Forgotten(deleted=deleted, undo=undo)


@router.patch("/comparisons/{comparison_id}", responses=refuses(404, 409, 507))
async def rate_comparison(comparison_id: str, body: Rating, services: Wired) -> Comparison:
    return await asyncio.to_thread(services.notebook.rate, comparison_id, body)


@router.delete("/comparisons/{comparison_id}", responses=refuses(404, 409, 422, 507))
async def forget_comparison(comparison_id: str, services: Wired) -> Forgotten:
    undo = await asyncio.to_thread(services.notebook.forget, comparison_id)
    return Forgotten(deleted=1, undo=undo)


@router.get("/chats")
async def list_chats(
    services: Wired,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=80)] = None,
) -> Chats:
    return await asyncio.to_thread(services.chats.page, limit, cursor)


@router.post("/chats", responses=refuses(409, 507))
async def create_chat(body: ChatIn, services: Wired) -> Chat:
    """Save a conversation. Its answers come from POST /models/compare."""
    return await asyncio.to_thread(services.chats.create, body)


@router.get("/chats/{chat_id}", responses=refuses(404))
async def read_chat(chat_id: str, services: Wired) -> Chat:
    return await asyncio.to_thread(services.chats.read, chat_id)


@router.put("/chats/{chat_id}", responses=refuses(404, 409, 507))
async def replace_chat(chat_id: str, body: ChatIn, services: Wired) -> Chat:
    """Save it anew, all turns of it."""
    return await asyncio.to_thread(services.chats.replace, chat_id, body)


@router.delete("/chats/{chat_id}", responses=refuses(404, 409, 422, 507))
async def delete_chat(chat_id: str, services: Wired) -> Forgotten:
    undo = await asyncio.to_thread(services.chats.delete, chat_id)
    return Forgotten(deleted=1, undo=undo)


@router.get("/prompt-sets")
async def list_prompt_sets(services: Wired) -> PromptSets:
    return await asyncio.to_thread(services.notebook.prompt_sets)


@router.put("/prompt-sets/{name:path}", responses=refuses(409, 507))
async def keep_prompt_set(name: str, body: PromptSet, services: Wired) -> NamedPromptSet:
    return await asyncio.to_thread(services.notebook.keep_prompts, name, body)


@router.delete("/prompt-sets/{name:path}", responses=refuses(404, 409, 422, 507))
async def forget_prompt_set(name: str, services: Wired) -> Forgotten:
    undo = await asyncio.to_thread(services.notebook.forget_prompts, name)
    return Forgotten(deleted=1, undo=undo)


@router.post("/arena/vote", responses=refuses(404, 409, 507))
async def vote(body: Vote, services: Wired) -> Standing:
    """Where the two stand after this vote."""
    await asyncio.to_thread(services.inference.adapters.find, body.adapter_name)
    return await asyncio.to_thread(services.arena.vote, body)


@router.get("/arena")
async def arena(services: Wired) -> Standings:
    return await asyncio.to_thread(services.arena.standings)
