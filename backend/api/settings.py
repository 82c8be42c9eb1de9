"""The settings, the token of the API, and the diagnostics bundle."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from backend.api.health import system
from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.core.guard import token_cookie
from backend.preferences.diagnostics import write_bundle
from backend.preferences.schemas import (
    EngineCheck,
    MessageTest,
    NewToken,
    SettingsPatch,
    SettingsView,
)

router = APIRouter(tags=["settings"])


@router.get("/settings")
async def read_settings(services: Wired) -> SettingsView:
    return await asyncio.to_thread(services.preferences.view)


@router.patch("/settings", responses=refuses(409, 507))
async def change_settings(change: SettingsPatch, services: Wired) -> SettingsView:
    """Only the fields that are given change. Secrets are taken and never shown."""
    view = await asyncio.to_thread(services.preferences.change, change)
    services.supervisor.slot.news.tell()  # Keep-awake applies to what runs now.
    return view


@router.post("/settings/token", responses=refuses(409, 507))
async def make_token(services: Wired, response: Response) -> NewToken:
    """Make a token that every request needs from now on. An earlier one is not taken any more."""
    token = await asyncio.to_thread(services.preferences.make_token)
    response.headers["set-cookie"] = token_cookie(token)
    return NewToken(token=token)


@router.delete("/settings/token", responses=refuses(409, 507))
async def drop_token(services: Wired) -> SettingsView:
    """Ask for no token any more, which only a service for this machine alone may."""
    return await asyncio.to_thread(services.preferences.drop_token)


@router.post("/settings/messages/test", responses=refuses(409))
async def test_messages(services: Wired) -> list[MessageTest]:
    """Send a test to the webhook and the topic of ntfy, and say whether it arrived."""
    return await asyncio.to_thread(services.preferences.test_messages)


@router.post("/settings/engines/check")
async def check_engines(services: Wired) -> EngineCheck:
    """Let the engine multiply two small matrices, and say what to do where it can't."""
    return await services.preferences.check_engine()


@router.get(
    "/diagnostics",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A zip without secrets."}},
)
async def diagnostics(services: Wired) -> Response:
    """Versions, settings, the ends of the logs and the last runs, to give to somebody who helps."""
    about = await system(services)
    shown = await asyncio.to_thread(services.preferences.view)
    bundle = await asyncio.to_thread(write_bundle, services.settings, about=about, shown=shown)
    name = f"droid-diagnostics-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(bundle, media_type="application/zip", headers=headers)
