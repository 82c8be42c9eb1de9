"""Who may speak to the server: one pure-ASGI gate in front of every route and socket.

Another web page in the user's browser, a rebound host name, a peer on the network: none of them
gets past here, whatever route comes later. Scripts send no Origin and just work.

A development server in front of this one (`npm run dev`) proxies with `changeOrigin: true` and
rewrites the `Origin` header to this server's address, for HTTP and for WebSocket. Nothing is
opened for it here: its own host check keeps strangers out.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import psutil

from backend.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 1024 * 1024
MAX_AT_WORK = 256
COOKIE = "droid_token"
UPLOADS = "/api/datasets/files/"

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_POLICY_VIOLATION = 1008
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Refusal(Exception):
    """Why a request is turned away, with its status code and the error's name in the answer."""

    def __init__(self, status: int, error: str, detail: str, hint: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.error, self.detail, self.hint = status, error, detail, hint


Words = Callable[[str, Refusal], Mapping[str, Any]]


def plain_words(path: str, refusal: Refusal) -> Mapping[str, Any]:
    """A refusal as most addresses give it."""
    return {"error": refusal.error, "detail": refusal.detail, "hint": refusal.hint}


class Guard:
    """Checks host, origin, fetch site, token, content type, size and load, in that order.

    `words` is the body of a refusal at an address; some have a shape of their own.
    """

    def __init__(self, app: App, *, settings: Settings, words: Words = plain_words) -> None:
        self._app = app
        self._words = words
        self._settings = settings  # The token can be made anew on the Settings page.
        self._hosts = frozenset(_with_port(known_names(settings), settings.port))
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._at_work = 0  # Requests that came in whole (an upload: its head) and are not done.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        secured = _secure(send)
        try:
            self._check_source(scope, headers)
            cookie = self._check_token(scope, headers)
            if scope["type"] == "http":
                receive = await _checked_body(scope, headers, receive)
                self._check_load()
        except _Gone:
            return
        except Refusal as refusal:
            answer = self._words(str(scope.get("path", "")), refusal)
            await _refuse(scope, receive, secured, refusal, answer)
            return
        if cookie is not None:
            secured = _with_cookie(secured, cookie)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        self._at_work += 1
        try:
            await self._app(scope, receive, secured)
        finally:
            self._at_work -= 1

    def _check_source(self, scope: Scope, headers: dict[str, list[str]]) -> None:
        host = _only(headers, "host")
        if host not in self._hosts:
            raise Refusal(
                403,
                "AccessRefused",
                f"The host {host!r} is not this server.",
                f"Use {_example(self._hosts)}.",
            )
        if "origin" in headers and _only(headers, "origin") not in self._origins:
            raise Refusal(
                403,
                "AccessRefused",
                f"Pages from {_only(headers, 'origin')!r} may not use this server.",
                "Open the app at the server's own address.",
            )
        site = _only(headers, "sec-fetch-site")
        if site in {"cross-site", "same-site"} and not _is_visit(scope, headers):
            raise Refusal(
                403,
                "AccessRefused",
                f"Another page's request (Sec-Fetch-Site {site}) is not answered.",
                "Open the app at the server's own address.",
            )

    def _check_token(self, scope: Scope, headers: dict[str, list[str]]) -> str | None:
        """Refuse without the token. Answers it when it came in the address: it becomes a cookie."""
        token_needed = self._settings.token
        if token_needed is None:
            return None
        query = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        bearer = (_only(headers, "authorization") or "").removeprefix("Bearer ")
        own_token = token_needed.encode()
        for token in (bearer, query, _cookie(headers)):
            if token and secrets.compare_digest(token.encode(), own_token):
                return token if token == query else None
        raise Refusal(
            401,
            "AccessRefused",
            "This server needs its token.",
            "Send it as 'Authorization: Bearer <token>', or open the address with ?token=<token>.",
        )

    def _check_load(self) -> None:
        if self._at_work >= MAX_AT_WORK:
            raise Refusal(
                503,
                "ServerBusy",
                f"The server is at work on {MAX_AT_WORK} requests, as many as it takes at once.",
                "Try again when some of them are done.",
            )


def known_names(settings: Settings) -> Iterable[str]:
    """The names and addresses under which this server may be called."""
    if settings.is_loopback:
        return _LOCAL
    if settings.host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return (_bracket(settings.host), *_LOCAL)
    name = socket.gethostname()
    addresses = {
        _bracket(entry.address.split("%")[0])
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in {socket.AF_INET, socket.AF_INET6}
    }
    return (*_LOCAL, name, name.removesuffix(".local") + ".local", *addresses)


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def _with_port(names: Iterable[str], port: int) -> Iterable[str]:
    for name in names:
        yield f"{name}:{port}"
        if port == 80:
            yield name


def _example(hosts: frozenset[str]) -> str:
    local = sorted(host for host in hosts if host.startswith("127.0.0.1"))
    return f"http://{local[0]}"


def _headers(scope: Scope) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return values


def _only(headers: dict[str, list[str]], name: str) -> str | None:
    """The header's value; of a header given twice, nothing that could match."""
    values = headers.get(name, [])
    return values[0] if len(values) == 1 else ("\n".join(values) if values else None)


def _is_visit(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """A link that was followed to here: harmless, since a GET changes nothing."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and _only(headers, "sec-fetch-mode") == "navigate"
        and _only(headers, "sec-fetch-dest") == "document"
    )


def _cookie(headers: dict[str, list[str]]) -> str:
    try:
        jar = SimpleCookie("; ".join(headers.get("cookie", [])))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


async def _checked_body(scope: Scope, headers: dict[str, list[str]], receive: Receive) -> Receive:
    """Refuse a body of the wrong type or size before anything reads it."""
    upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
    length = _only(headers, "content-length")
    chunked = "transfer-encoding" in headers
    if not chunked and length in {None, "0"}:
        return receive
    content_type = "application/octet-stream" if upload else "application/json"
    kind = (_only(headers, "content-type") or "").partition(";")[0].strip().lower()
    if kind != content_type:
        raise Refusal(
            400,
            "BadContent",
            f"The body is sent as {kind or 'no type'!r}; this route takes {content_type}.",
            f"Send the header 'Content-Type: {content_type}'.",
        )
    if upload:  # Counted and capped by the route, as it streams to the disk.
        return receive
    if length is not None and (not length.isdecimal() or int(length) > MAX_BODY):
        raise _too_large()
    return await _buffer(receive)


class _Gone(Exception):
    """The client left in the middle of its body."""


async def _buffer(receive: Receive) -> Receive:
    """Read a body up to the cap, and hand it on in one piece: work begins once it is there."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            break
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


def _too_large() -> Refusal:
    return Refusal(
        413,
        "TooLarge",
        f"The body is larger than {MAX_BODY:,} bytes.",
        "Upload data files with PUT /api/datasets/files/{name}.",
    )


def _secure(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", [])
            own = {name.lower() for name, _ in headers}
            message["headers"] = [*headers, *(h for h in _HEADERS if h[0] not in own)]
        await send(message)

    return with_headers


def token_cookie(token: str) -> str:
    """The header that gives a page the token, which its scripts can't read."""
    return f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"


def _with_cookie(send: Send, token: str) -> Send:
    value = token_cookie(token).encode("latin-1")

    async def with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"set-cookie", value)]
        await send(message)

    return with_cookie


async def _refuse(
    scope: Scope, receive: Receive, send: Send, refusal: Refusal, answer: Mapping[str, Any]
) -> None:
    if scope["type"] == "websocket":
        await receive()  # The handshake; refused before it is accepted.
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal.detail})
        return
    body = json.dumps(answer).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if refusal.status in {400, 413}:
        headers.append((b"connection", b"close"))  # The rest of the body is not read.
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
