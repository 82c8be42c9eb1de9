"""Undo: what was deleted is put back."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from backend.api.refusals import refuses
from backend.api.services import Wired

# Of every list that something may come back to, so that a page reads it again.
router = APIRouter(prefix="/api/trash", tags=["notebook", "sessions"])


class Restored(BaseModel):
    """How many files and folders are back in their places."""

    restored: int


@router.post("/{trash_id}/restore", responses=refuses(404, 409, 507))
async def restore_deleted(trash_id: str, services: Wired) -> Restored:
    """Put back what a deletion answered as its `undo`: for a day, and once."""
    return Restored(restored=await asyncio.to_thread(services.trash.restore, trash_id))
