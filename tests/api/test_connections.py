"""Connections as clients have them: kept alive, idle, half-open, slow, and closed early."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn

from backend.api import connection
from backend.core import guard
from backend.main import SERVED, Server
from tests.api.live import Live, next_frame

SHORT = 0.3
MEGABYTE = 1024 * 1024


@contextmanager
def client(live: Live, sent: bytes = b"") -> Iterator[socket.socket]:
    address = ("127.0.0.1", live.settings.port)
    with socket.create_connection(address, timeout=15) as opened:
        opened.sendall(sent)
        yield opened


def head(live: Live, first: str, *lines: str) -> bytes:
    host = f"Host: 127.0.0.1:{live.settings.port}"
    return "\r\n".join([f"{first} HTTP/1.1", host, *lines, "", ""]).encode()


def answer_of(opened: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of an answer after which the server closes."""
    with opened.makefile("rb") as file:
        text = file.read()
    top, _, body = text.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(body)


def test_an_accepted_connection_sends_small_answers_at_once(live: Live) -> None:
    """Without TCP_NODELAY each request of a kept connection waits 40 ms for an ACK."""
    assert live.client.get("/health").status_code == 200

    async def options() -> set[int]:
        accepted: list[Any] = list(live.server.server_state.connections)
        sockets = [one.transport.get_extra_info("socket") for one in accepted]
        return {one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets}

    assert live.do(options()) == {1}


def test_idle_connections_give_way_to_those_that_ask(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 8)
    with ExitStack() as stack:
        half_open = stack.enter_context(client(live, b"GET /hea"))
        with client(live, head(live, "GET /health", "Connection: close")) as first:
            answer_of(first)  # What was sent before it is read by now.
        idle = [stack.enter_context(client(live)) for _ in range(20)]
        for _ in range(3):
            with client(live, head(live, "GET /health", "Connection: close")) as asking:
                assert answer_of(asking)[1]["status"] == "healthy"

        assert idle[0].recv(1) == b"", "the one that was idle the longest is closed"
        half_open.settimeout(0.01)
        with pytest.raises(TimeoutError):  # One that has begun to ask is closed after the idle.
            half_open.recv(1)


@pytest.mark.parametrize("begun", ["head", "body"])
def test_a_request_that_is_never_finished_is_answered_and_closed(
    live: Live, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", SHORT)
    monkeypatch.setattr(connection, "BODY_SILENCE", SHORT)
    whole = head(live, "POST /training/stop", "Content-Type: application/json", "Content-Length: 9")
    with client(live, whole + b"{" if begun == "body" else whole[:-20]) as opened:
        status, told = answer_of(opened)

    assert status == 408
    assert (told["error"], set(told)) == ("RequestTimeout", {"error", "detail", "hint"})
    assert begun in told["detail"]


def test_requests_that_never_finish_are_not_counted_as_work(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_AT_WORK", 3)
    whole = head(live, "POST /training/stop", "Content-Type: application/json", "Content-Length: 9")
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(client(live, whole + b"{"))
        assert live.client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/health", {"error", "detail", "hint"}),
        ("/api/training/methods", {"success", "error", "detail", "hint"}),
        ("/v1/models", {"error"}),
    ],
)
def test_too_much_work_is_refused_in_the_shape_of_the_address(
    live: Live, monkeypatch: pytest.MonkeyPatch, path: str, shape: set[str]
) -> None:
    monkeypatch.setattr(guard, "MAX_AT_WORK", 0)
    refused = live.client.get(path)

    assert refused.status_code == 503
    assert set(refused.json()) == shape
    assert "at work on 0 requests" in refused.text


def test_a_slow_upload_that_goes_on_is_not_cut(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", SHORT)
    monkeypatch.setattr(connection, "BODY_SILENCE", 1.0)
    rows = [b'{"text": "row %d"}\n' % number for number in range(6)]
    length = f"Content-Length: {sum(map(len, rows))}"
    kind = "Content-Type: application/octet-stream"
    begin = head(live, "PUT /api/datasets/files/slow.jsonl", kind, length, "Connection: close")
    with client(live, begin) as opened:
        for row in rows:
            time.sleep(SHORT)  # The client's own pace, slower in all than any limit.
            opened.sendall(row)
        status, told = answer_of(opened)

    assert status == 200, told


def test_a_websocket_outlives_every_limit_of_a_request(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDLE_FOR", "HEAD_WITHIN", "BODY_SILENCE", "REST_WITHIN"):
        monkeypatch.setattr(connection, name, 0.05)
    with live.listening() as opened:
        next_frame(opened)
        time.sleep(SHORT)
        opened.send('{"type": "ping"}')
        assert next_frame(opened)["type"] == "pong"


async def slow_stream(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(3):
        await send({"type": "http.response.body", "body": b"piece ", "more_body": True})
        await asyncio.sleep(SHORT)
    await send({"type": "http.response.body", "body": b"end"})


def test_a_streamed_answer_has_no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_FOR", "HEAD_WITHIN", "BODY_SILENCE", "REST_WITHIN"):
        monkeypatch.setattr(connection, name, 0.05)
    listening, ready = socket.create_server(("127.0.0.1", 0)), threading.Event()
    server = Server(uvicorn.Config(slow_stream, lifespan="off", **SERVED), ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert ready.wait(20)
        with socket.create_connection(listening.getsockname(), timeout=15) as opened:
            opened.sendall(b"GET / HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
            with opened.makefile("rb") as file:
                assert b"end" in file.read()
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize("more", [(), ("Connection: close",)], ids=["kept", "closing"])
def test_every_client_with_too_large_a_body_reads_why(live: Live, more: tuple[str, ...]) -> None:
    """Each sends all it has before it reads, as most do; a reset would take the answer away."""
    for _ in range(10):
        length = f"Content-Length: {8 * MEGABYTE}"
        begin = head(live, "POST /training/start", "Content-Type: application/json", length, *more)
        with client(live, begin) as opened:
            opened.sendall(b" " * 8 * MEGABYTE)
            status, told = answer_of(opened)

        assert (status, told["error"]) == (413, "TooLarge")


def test_what_is_no_request_is_refused_in_the_common_shape(live: Live) -> None:
    with client(live, b"Hello?\r\n\r\n") as opened:
        status, told = answer_of(opened)

    assert status == 400
    assert set(told) == {"error", "detail", "hint"}
