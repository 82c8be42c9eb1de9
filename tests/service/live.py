"""Follow a server's WebSocket as a dashboard would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.service.server import Server

Frame = dict[str, Any]
ENDINGS = {"training_completed", "training_stopped", "training_error"}


@contextmanager
def listening(server: Server, query: str = "") -> Iterator[ClientConnection]:
    with connect(server.url.replace("http", "ws") + "/ws" + query, max_size=None) as socket:
        yield socket


def next_frame(socket: ClientConnection, *, timeout: float = 60) -> Frame:
    frame: Frame = json.loads(socket.recv(timeout=timeout))
    return frame


def frames_until(socket: ClientConnection, wanted: Callable[[Frame], bool]) -> list[Frame]:
    """Every frame up to and with the first that is `wanted`; an ending that is not fails."""
    seen: list[Frame] = []
    while True:
        frame = next_frame(socket)
        seen.append(frame)
        if wanted(frame):
            return seen
        assert frame["type"] not in ENDINGS, f"The run ended first: {frame}"


def has_ended(frame: Frame) -> bool:
    return frame["type"] in ENDINGS


def at_step(step: int) -> Callable[[Frame], bool]:
    def reached(frame: Frame) -> bool:
        metrics = frame["data"].get("metrics") or {}
        return (metrics.get("current_step") or 0) >= step

    return reached
