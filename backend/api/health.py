"""Is the server up, and what machine is it on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter

from backend import __version__
from backend.api.services import Wired
from backend.core.machine.system import describe_system
from backend.core.schemas import Health, SystemInfo

router = APIRouter(tags=["system"])


@router.get("/health")
async def health() -> Health:
    return Health(status="healthy", timestamp=datetime.now(UTC), version=__version__)


@router.get("/system")
async def system(services: Wired) -> SystemInfo:
    return await asyncio.to_thread(describe_system, services.settings)
