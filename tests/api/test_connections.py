"""Connections as clients have them: kept alive, idle, half-open, slow, and cut off."""

from __future__ import annotations

import socket
from typing import Any

from tests.api.live import Live


def test_an_accepted_connection_sends_small_answers_at_once(live: Live) -> None:
    """Without TCP_NODELAY each request of a kept connection waits 40 ms for an ACK."""
    assert live.client.get("/health").status_code == 200

    async def options() -> set[int]:
        accepted: list[Any] = list(live.server.server_state.connections)
        sockets = [one.transport.get_extra_info("socket") for one in accepted]
        return {one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets}

    assert live.do(options()) == {1}
