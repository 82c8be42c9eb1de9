"""The event stream: a snapshot on connect, then every frame in order; lag starts over."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import cast

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from backend.api.services import Services
from backend.core.hub import Listener

router = APIRouter()

PING_EVERY = 20.0
STUCK_AFTER = 5.0  # Seconds in which a client takes nothing at all.
MAX_CLIENTS = 64
MESSAGES_PER_SECOND = 50

_POLICY_VIOLATION = 1008
_TRY_LATER = 1013


@router.websocket("/ws")
async def stream(socket: WebSocket) -> None:
    """`?since=<seq>&epoch=<id>` replays what was missed while it is held, else a snapshot comes."""
    services = cast(Services, socket.app.state.services)
    await socket.accept()
    if services.hub.listeners >= MAX_CLIENTS:
        await socket.close(_TRY_LATER, "Too many clients are connected.")
        return
    since, epoch = _whole(socket.query_params.get("since")), socket.query_params.get("epoch")
    listener = services.hub.listen(since=since, epoch=epoch) if since is not None else None
    caught_up = listener is not None
    listener = listener or services.hub.listen()
    if listener is None:  # Only ever with `since`.
        return
    tasks = {
        asyncio.create_task(
            _send_news(socket, services, listener, caught_up=caught_up), name="ws send"
        ),
        asyncio.create_task(_hear(socket, services), name="ws hear"),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
                task.result()
    finally:  # Also when the server ends in the middle of it.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        services.hub.leave(listener)


async def _send_news(
    socket: WebSocket, services: Services, listener: Listener, *, caught_up: bool
) -> None:
    loop = asyncio.get_running_loop()
    if not caught_up:
        await _send_snapshot(socket, services)
    next_ping = loop.time() + PING_EVERY
    while True:
        try:
            async with asyncio.timeout_at(next_ping):
                sent = await listener.get()
        except TimeoutError:
            await _send(socket, services.hub.frame("ping", {}))
            next_ping = loop.time() + PING_EVERY
            continue
        if sent is not None:
            await _send(socket, sent.text)
            continue
        listener.restart()
        await _send_snapshot(socket, services)


async def _send_snapshot(socket: WebSocket, services: Services) -> None:
    """Everything, as of this moment. What is published while it is prepared follows it."""
    build = services.supervisor.snapshot_later()

    def text() -> str:
        data = build()
        return services.hub.frame("training_state", data, session_id=data.session_id, seq=data.seq)

    await _send(socket, await asyncio.to_thread(text))


async def _send(socket: WebSocket, text: str) -> None:
    """Send, or give up on a client that takes nothing: it comes back with `since`."""
    async with asyncio.timeout(STUCK_AFTER):
        await socket.send_text(text)


async def _hear(socket: WebSocket, services: Services) -> None:
    """Answer pings; close on a flood. Anything else a client says means nothing and is dropped."""
    loop = asyncio.get_running_loop()
    window, heard = loop.time(), 0
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        now = loop.time()
        if now - window > 1:
            window, heard = now, 0
        heard += 1
        if heard > MESSAGES_PER_SECOND:
            if socket.application_state is WebSocketState.CONNECTED:
                await socket.close(_POLICY_VIOLATION, "Too many messages.")
            return
        if _is_ping(message.get("text")):
            await _send(socket, services.hub.frame("pong", {}))


def _is_ping(text: str | None) -> bool:
    if text is None:
        return False
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        return isinstance(value, dict) and value.get("type") == "ping"
    return False


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 16 else None
