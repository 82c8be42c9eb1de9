"""The waiting runs: list, order, remove."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.core.limits import Count
from backend.jobs.frames import QueueData

router = APIRouter(prefix="/training/queue", tags=["queue"])


class QueuePlace(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    position: Count = Field(description="1 is next; beyond the end means last.")


@router.get("")
async def read_queue(services: Wired) -> QueueData:
    return QueueData(queue=services.queue.shown())


@router.patch("/{session_id}", responses=refuses(404, 409, 507))
async def move_queued_run(session_id: str, body: QueuePlace, services: Wired) -> QueueData:
    await services.queue.move(session_id, body.position)
    return QueueData(queue=services.queue.shown())


@router.delete("/{session_id}", responses=refuses(404, 409, 507))
async def remove_queued_run(session_id: str, services: Wired) -> QueueData:
    """Take it out; a run that has not started leaves nothing behind."""
    await services.queue.remove(session_id)
    return QueueData(queue=services.queue.shown())
