"""Notices about files that can't be read: shown until somebody dismisses them."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.core.disk.notices import NoticeList

router = APIRouter(prefix="/notices", tags=["system"])


@router.get("")
async def list_notices(services: Wired) -> NoticeList:
    """Newest first: which file, what is wrong with it, and where it was kept."""
    return await asyncio.to_thread(services.notices.listed)


@router.delete("/{notice_id}", responses=refuses(404, 409, 507))
async def dismiss_notice(notice_id: str, services: Wired) -> NoticeList:
    """Not shown again; the file that it is about is left alone. Answers those that are left."""
    await asyncio.to_thread(services.notices.dismiss, notice_id)
    return await asyncio.to_thread(services.notices.listed)
