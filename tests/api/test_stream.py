"""`/ws` as a dashboard, a page that comes back, a stuck client and a flooding one see it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import WebSocket
from websockets.exceptions import ConnectionClosed

from backend.api import stream
from backend.core.hub import Hub
from backend.core.news import News
from backend.jobs.run.schemas import TrainingStateData
from backend.jobs.run.state import RunState
from tests.api.live import Live, frames_until, next_frame


def test_the_first_frame_is_a_snapshot_of_everything(live: Live) -> None:
    with live.listening() as client:
        session_id = live.start(steps=4, name="snapshot")
        frames_until(client, "training_completed")
    with live.listening() as client:
        frame = next_frame(client)
    assert frame["type"] == "training_state"
    assert frame["session_id"] == session_id
    assert frame["epoch"] == live.services.hub.epoch
    data = frame["data"]
    assert data["state"] == "completed"
    assert data["series"]["train"]["step"] == [1, 2, 3, 4]
    assert data["logs"][-1].startswith("Iter 4")
    assert data["seq"] == frame["seq"] == live.services.hub.seq


def test_what_follows_the_snapshot_has_no_gap(live: Live) -> None:
    with live.listening() as client:
        seq = next_frame(client)["seq"]
        live.start(steps=10, name="gapless")
        frames = frames_until(client, "training_completed")
    assert [frame["seq"] for frame in frames] == list(range(seq + 1, seq + 1 + len(frames)))


def test_one_who_comes_back_hears_what_it_missed(live: Live) -> None:
    """F29."""
    with live.listening() as client:
        seq = next_frame(client)["seq"]
    for n in range(5):
        live.publish("ping", {"n": n})
    with live.listening(f"?since={seq}&epoch={live.services.hub.epoch}") as client:
        frames = [next_frame(client) for _ in range(5)]
    assert [frame["data"] for frame in frames] == [{"n": n} for n in range(5)]


HOLES = [
    "?since=0&epoch=another",
    "?since=999999&epoch={epoch}",
    "?since=x",
    "?since=-1",
    "?since=",
]


@pytest.mark.parametrize("query", HOLES)
def test_a_past_that_is_not_held_is_replaced_by_a_snapshot(live: Live, query: str) -> None:
    with live.listening(query.replace("{epoch}", live.services.hub.epoch)) as client:
        assert next_frame(client)["type"] == "training_state"


def test_ping_is_answered_and_anything_else_is_not(live: Live) -> None:
    with live.listening() as client:
        next_frame(client)
        for said in ("hello", "{", "[1]", '{"type": 7}', '{"type": "start"}', "[" * 10_000):
            client.send(said)
        client.send(b"\xff\xfe")
        client.send(json.dumps({"type": "ping"}))
        frame = next_frame(client)
    assert frame["type"] == "pong"
    assert frame["epoch"] == live.services.hub.epoch


def test_a_silent_stream_pings(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PING_EVERY", 0.05)
    with live.listening() as client:
        next_frame(client)
        assert [next_frame(client)["type"] for _ in range(2)] == ["ping", "ping"]


def test_a_flood_of_messages_closes_only_its_own_socket(live: Live) -> None:
    """F27."""
    with live.listening() as other, live.listening(close_timeout=0.1) as client:
        next_frame(other)
        next_frame(client)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(1000):
                client.send('{"type": "ping"}')
            while True:
                client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        live.publish("ping", {"still": "here"})
        assert next_frame(other)["data"] == {"still": "here"}


def test_a_message_that_is_too_large_closes_the_socket(live: Live) -> None:
    """F27."""
    with live.listening(close_timeout=0.1) as client:
        next_frame(client)
        with pytest.raises(ConnectionClosed) as closed:
            client.send("x" * 100_000)
            client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_client_that_never_reads_holds_up_nobody_and_is_let_go(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F28."""
    monkeypatch.setattr(stream, "STUCK_AFTER", 0.3)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", live.settings.port))
    host = f"127.0.0.1:{live.settings.port}"
    stuck.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    try:
        stuck.recv(200)
        with live.listening(max_size=None) as other:
            next_frame(other)
            for n in range(200):
                live.publish("ping", {"n": n, "filler": "x" * 30_000})
                assert next_frame(other)["data"]["n"] == n
            gone = threading.Event()
            live.do(_until_alone(live, gone))
        assert gone.is_set()
    finally:
        stuck.close()


async def _until_alone(live: Live, gone: threading.Event) -> None:
    import asyncio

    async with asyncio.timeout(10):
        while live.services.hub.listeners > 1:  # noqa: ASYNC110 - nothing tells of a departure
            await asyncio.sleep(0.02)
    gone.set()


async def test_a_stream_that_is_cancelled_leaves_no_task_behind() -> None:
    """As when the server ends while clients are connected."""
    hub, sent = Hub(), News()
    texts: list[str] = []

    async def nothing() -> None: ...

    async def send(text: str) -> None:
        texts.append(text)
        sent.tell()

    state = TrainingStateData(state=RunState.IDLE, queue=[], seq=0)
    supervisor = SimpleNamespace(snapshot_later=lambda: lambda: state)
    services = SimpleNamespace(hub=hub, supervisor=supervisor)
    client = SimpleNamespace(
        app=SimpleNamespace(state=SimpleNamespace(services=services)),
        query_params={},
        accept=nothing,
        receive=asyncio.Event().wait,
        send_text=send,
    )
    task = asyncio.create_task(stream.stream(cast(WebSocket, client)))
    await sent.until(lambda: bool(texts), limit=15)
    assert hub.listeners == 1

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert hub.listeners == 0
    assert [each for each in asyncio.all_tasks() if each.get_name().startswith("ws ")] == []
