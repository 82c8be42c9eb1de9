"""The gate in front of every route, asked over plain ASGI: what gets past, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.core.guard import MAX_BODY, Guard, Message, Receive, Scope, Send
from backend.settings import Settings, read_settings

TOKEN = "t" * 32
WIDE = "0.0.0.0"  # noqa: S104 - never bound
Header = tuple[str, str]


def guarded(**settings: Any) -> Guard:
    return Guard(echo, settings=read_settings({}, data_dir="/nowhere", **settings))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The app behind the guard: answers with the size of the body that reached it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def ask(
    guard: Guard,
    *headers: Header,
    method: str = "GET",
    path: str = "/health",
    query: str = "",
    host: str | None = "127.0.0.1:8000",
    body: list[bytes] | None = None,
    kind: str = "http",
) -> tuple[int, list[Message]]:
    """Status (or 101 for an accepted socket, 403 for a refused one) and the messages sent."""
    sent: list[Message] = []
    pieces = list(body or [b""])

    async def receive() -> Message:
        if kind == "websocket":
            return {"type": "websocket.connect"}
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    given = [*([("host", host)] if host is not None else []), *headers]
    scope: Scope = {
        "type": kind, "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given],
    }  # fmt: skip
    await guard(scope, receive, send)
    if kind == "websocket":
        return (101 if sent[0]["type"] == "websocket.accept" else 403), sent
    return sent[0]["status"], sent


GOOD_HOSTS = ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"]
BAD_HOSTS = [
    None, "", "127.0.0.1", "localhost", "127.0.0.1:8001", "localhost:80", "evil.example:8000",
    "rebind.evil.example:8000", "127.0.0.1.evil.example:8000", "localhost.evil.example:8000",
    "evil-localhost:8000", "127.0.0.1:8000@evil.example", "127.0.0.1:8000.evil.example",
    "0.0.0.0:8000", "[::]:8000", "192.168.1.5:8000", "LOCALHOST.:8000", "127.1:8000",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", GOOD_HOSTS)
async def test_our_own_names_are_answered(host: str, kind: str) -> None:
    assert (await ask(guarded(), host=host, kind=kind))[0] in {200, 101}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", BAD_HOSTS)
async def test_a_rebound_host_is_refused(host: str | None, kind: str) -> None:
    """T3: also with an Origin that equals it."""
    origin = [("Origin", f"http://{host}")]
    assert (await ask(guarded(), host=host, kind=kind))[0] == 403
    assert (await ask(guarded(), *origin, host=host, kind=kind))[0] == 403


async def test_a_host_given_twice_is_refused() -> None:
    status, _ = await ask(guarded(), ("host", "evil.example:8000"))
    assert status == 403


BAD_ORIGINS = [
    "null", "", "https://evil.example", "http://evil.example:8000", "http://127.0.0.1",
    "http://127.0.0.1:8001", "http://127.0.0.1:80000", "https://127.0.0.1:8000",
    "http://127.0.0.1:8000.evil.example", "http://127.0.0.1:8000@evil.example",
    "http://evil.example/http://127.0.0.1:8000", "http://localhost:8000.evil.example",
    "http://evillocalhost:8000", "http://localhost.evil.example:8000", "file://",
    "vscode-webview://x", "http://127.0.0.1:8000/", "http://127.0.0.1:8000 ",
    "http://127.0.0.1:8000\nhttp://evil.example", "HTTP://127.0.0.1:8000", "http://[::]:8000",
    "http://localhost:5173",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("origin", BAD_ORIGINS)
async def test_a_page_from_elsewhere_is_refused(origin: str, kind: str) -> None:
    """T1, T4, T5."""
    status, sent = await ask(guarded(), ("Origin", origin), kind=kind)
    assert status == 403
    if kind == "websocket":
        assert sent[0]["code"] == 1008


@pytest.mark.parametrize("host", GOOD_HOSTS)
async def test_our_own_pages_are_answered(host: str) -> None:
    headers = [("Origin", f"http://{host}"), ("Sec-Fetch-Site", "same-origin")]
    assert (await ask(guarded(), *headers, host=host))[0] == 200


FETCH: list[tuple[str, str, str, str, int]] = [
    ("cross-site", "no-cors", "image", "GET", 403),
    ("cross-site", "cors", "empty", "GET", 403),
    ("same-site", "no-cors", "script", "GET", 403),
    ("cross-site", "navigate", "iframe", "GET", 403),
    ("cross-site", "navigate", "document", "POST", 403),
    ("cross-site", "navigate", "document", "GET", 200),
    ("same-origin", "cors", "empty", "GET", 200),
    ("none", "navigate", "document", "GET", 200),
]


@pytest.mark.parametrize(("site", "mode", "dest", "method", "status"), FETCH)
async def test_another_sites_request_is_only_answered_as_a_visit(
    site: str, mode: str, dest: str, method: str, status: int
) -> None:
    """T6."""
    headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
    assert (await ask(guarded(), *headers, method=method))[0] == status


TYPES: list[tuple[str, str, str | None, int]] = [
    ("POST", "/training/start", "application/json", 200),
    ("POST", "/training/start", "application/json; charset=utf-8", 200),
    ("POST", "/training/start", "text/plain", 400),
    ("POST", "/training/start", "application/x-www-form-urlencoded", 400),
    ("POST", "/training/start", "multipart/form-data; boundary=x", 400),
    ("POST", "/training/start", None, 400),
    ("POST", "/training/start", "application/jsonp", 400),
    ("PUT", "/api/datasets/files/a.jsonl", "application/octet-stream", 200),
    ("PUT", "/api/datasets/files/a.jsonl", "application/json", 400),
    ("POST", "/api/datasets/files/a.jsonl", "application/octet-stream", 400),
]


@pytest.mark.parametrize(("method", "path", "kind", "status"), TYPES)
async def test_a_body_needs_the_type_that_a_page_cannot_send_unasked(
    method: str, path: str, kind: str | None, status: int
) -> None:
    """T2."""
    headers = [("Content-Length", "2"), *([("Content-Type", kind)] if kind else [])]
    got, _ = await ask(guarded(), *headers, method=method, path=path, body=[b"{}"])
    assert got == status


async def test_a_request_without_a_body_needs_no_type() -> None:
    assert (await ask(guarded(), method="POST", path="/training/stop"))[0] == 200
    headers = [("Content-Length", "0")]
    assert (await ask(guarded(), *headers, method="POST", path="/training/stop"))[0] == 200


JSON = ("Content-Type", "application/json")
CHUNKED = ("Transfer-Encoding", "chunked")


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 30, "-1", "x", "1e3"])
async def test_a_body_that_says_it_is_too_large_is_refused_unread(length: str) -> None:
    """T27."""
    status, _ = await ask(guarded(), JSON, ("Content-Length", length), method="POST")
    assert status == 413


async def test_a_chunked_body_is_cut_off_at_the_cap() -> None:
    """T27."""
    pieces = [b"x" * 65_536] * 17
    status, _ = await ask(guarded(), JSON, CHUNKED, method="POST", body=pieces)
    assert status == 413


async def test_a_chunked_body_under_the_cap_arrives_whole() -> None:
    pieces = [b"x" * 1000] * 5
    status, sent = await ask(guarded(), JSON, CHUNKED, method="POST", body=pieces)
    assert (status, sent[1]["body"]) == (200, b"5000")


async def test_an_upload_may_be_larger_and_streams() -> None:
    headers = [("Content-Type", "application/octet-stream"), CHUNKED]
    pieces = [b"x" * 65_536] * 20
    path = "/api/datasets/files/a.jsonl"
    status, sent = await ask(guarded(), *headers, method="PUT", path=path, body=pieces)
    assert (status, sent[1]["body"]) == (200, str(65_536 * 20).encode())


@pytest.fixture
def wide() -> Settings:
    return read_settings({}, data_dir="/nowhere", host=WIDE, token=TOKEN)


GIVEN: list[tuple[list[Header], str, int]] = [
    ([], "", 401),
    ([("Authorization", f"Bearer {TOKEN}")], "", 200),
    ([("Authorization", "Bearer wrong")], "", 401),
    ([("Authorization", f"Bearer {TOKEN}x")], "", 401),
    ([("Authorization", "Bearer ü")], "", 401),
    ([], f"token={TOKEN}", 200),
    ([], "token=wrong", 401),
    ([], "token=", 401),
    ([("Cookie", f"droid_token={TOKEN}")], "", 200),
    ([("Cookie", "droid_token=wrong")], "", 401),
]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("headers", "query", "status"), GIVEN)
async def test_a_server_with_a_token_answers_nobody_without(
    wide: Settings, headers: list[Header], query: str, status: int, kind: str
) -> None:
    """T8."""
    got, _ = await ask(Guard(echo, settings=wide), *headers, query=query, kind=kind)
    wanted = status if kind == "http" else {200: 101, 401: 403}[status]
    assert got == wanted


async def test_a_token_in_the_address_becomes_a_cookie(wide: Settings) -> None:
    _, sent = await ask(Guard(echo, settings=wide), query=f"token={TOKEN}")
    cookie = dict(sent[0]["headers"])[b"set-cookie"].decode()
    assert f"droid_token={TOKEN}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_wide_address_without_a_token_is_refused() -> None:
    """T8."""
    with pytest.raises(ValueError, match="--token"):
        read_settings({}, data_dir="/nowhere", host=WIDE)


async def test_answers_and_refusals_carry_the_security_headers() -> None:
    for headers in ((), (("Origin", "null"),)):
        _, sent = await ask(guarded(), *headers)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        assert "script-src 'self'" in found["content-security-policy"]
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        assert found["x-content-type-options"] == "nosniff"
        assert found["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in found


async def test_a_refusal_says_what_to_do() -> None:
    _, sent = await ask(guarded(), host="evil.example")
    answer = json.loads(sent[1]["body"])
    assert answer["error"] == "AccessRefused"
    assert "evil.example" in answer["detail"]
    assert "http://127.0.0.1:8000" in answer["hint"]


async def test_a_body_whose_client_left_reaches_no_route() -> None:
    """What came of it could be read as a whole request that nobody sent."""
    called: list[str] = []
    heard: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        called.append(scope["path"])

    async def receive() -> Message:
        return heard.pop(0)

    async def send(message: Message) -> None:
        called.append(str(message))

    headers = {"host": "127.0.0.1:8000", "content-type": "application/json"}
    headers["transfer-encoding"] = "chunked"
    scope: Scope = {
        "type": "http", "method": "POST", "path": "/training/stop", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await Guard(app, settings=read_settings({}, data_dir="/nowhere"))(scope, receive, send)

    assert called == []
