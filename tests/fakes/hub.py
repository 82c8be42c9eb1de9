"""A Hugging Face hub on loopback: the few routes the library calls, and the ways a hub can fail.

It speaks as the real one does for what is used here (model info with blobs, resolve with HEAD,
redirect to a file store, Range, error codes in `X-Error-Code`); the real one was never asked.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.hub_uploads import HubUploads

COMMIT = "5" * 40
LARGE = 4096  # From here on a file is redirected to the store, as with LFS.


@dataclass
class FakeHub:
    """`files` of one repository. The faults are switched while it runs."""

    files: dict[str, bytes]
    repo: str = "acme/tiny"
    repo_type: str = "model"  # Or "dataset".
    card: dict[str, Any] | None = None  # As the hub reads it from README.md.
    commit: str = COMMIT
    sizes: dict[str, int] = field(default_factory=dict)
    gated_for: str | None = None  # The one token that may fetch files.
    private: bool = False
    busy: bool = False
    throttled: int = 0  # So many of the next bodies are answered with 429.
    cut_after: int | None = None  # Bytes of a body, then the connection breaks.
    hang_after: int | None = None  # Bytes of a body, then silence until `let_go`.
    no_ranges: bool = False
    damaged: set[str] = field(default_factory=set)
    redirect_to: str | None = None
    uploads: HubUploads = field(default_factory=HubUploads)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    hung: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def bodies(self) -> list[tuple[str, str | None]]:
        """(path, Range) of every GET of a large file's bytes."""
        return [
            (path, ranged)
            for verb, path, ranged in self.requests
            if verb == "GET" and path.startswith("/store/")
        ]

    def info(self) -> dict[str, Any]:
        return {
            "id": self.repo,
            "modelId": self.repo,
            "sha": self.commit,
            "private": self.private,
            "gated": "manual" if self.gated_for else False,
            "cardData": self.card,
            "siblings": [self._sibling(name, data) for name, data in self.files.items()],
        }

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        size = self.sizes.get(name, len(data))
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        found: dict[str, Any] = {"rfilename": name, "size": size, "blobId": blob}
        if size >= LARGE:
            digest = hashlib.sha256(data).hexdigest()
            found["lfs"] = {"sha256": digest, "size": size, "pointerSize": 130}
        return found


@contextmanager
def running_hub(hub: FakeHub) -> Iterator[FakeHub]:
    server = _Server(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was ended in the middle is what is tested."""


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at `requests` instead."""

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = urlsplit(self.path).path
            hub.requests.append((self.command, path, self.headers.get("range")))
            authorization = self.headers.get("authorization")
            token = authorization.removeprefix("Bearer ") if authorization else None
            hub.tokens.append(token)
            if hub.busy:
                return self._say(503, {"error": "busy"})
            if (taken := hub.uploads.answer(path, self._received(), token, hub.url)) is not None:
                return self._say(*taken)
            if path.startswith("/store/") and self.command == "GET" and hub.throttled > 0:
                hub.throttled -= 1
                return self._say(429, {"error": "Too many requests"})
            if path.startswith("/store/"):
                return self._body(path.removeprefix("/store/"))
            if path == f"/api/{hub.repo_type}s/{hub.repo}/revision/main" and not hub.private:
                return self._say(200, hub.info())
            if path.startswith(f"/api/{hub.repo_type}s/{hub.repo}/revision/") and not hub.private:
                return self._say(404, {"error": "No such revision"}, "RevisionNotFound")
            prefix = "/datasets" if hub.repo_type == "dataset" else ""
            start = f"{prefix}/{hub.repo}/resolve/{hub.commit}/"
            if not path.startswith(start) or hub.private:
                return self._say(401, {"error": "Repository not found"}, "RepoNotFound")
            if hub.gated_for is not None and token != hub.gated_for:
                return self._say(403, {"error": "Access to this model is restricted"}, "GatedRepo")
            name = path.removeprefix(start)
            if len(hub.files[name]) < LARGE:
                return self._body(name)
            self.send_response(302)
            self.send_header("Location", (hub.redirect_to or hub.url) + f"/store/{name}")
            self.send_header("X-Repo-Commit", hub.commit)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def _say(self, status: int, value: Any, code: str | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _received(self) -> bytes:
            """The body of a request; the connection is left hanging after `hang_after` of it."""
            length = int(self.headers.get("content-length") or 0)
            if hub.hang_after is None or length < LARGE:
                return self.rfile.read(length)
            body = self.rfile.read(hub.hang_after)
            hub.hung.set()
            hub.let_go.wait()
            return body

        def _body(self, name: str) -> None:
            data, first = hub.files[name], "0"
            if name in hub.damaged:
                data = bytes(len(data))
            ranged = self.headers.get("range")
            if ranged and not hub.no_ranges:
                size = len(data)
                first, end = ranged.removeprefix("bytes=").split("-")
                data = data[: int(end) + 1] if end else data
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{size}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - int(first)))
            self.end_headers()
            if self.command == "GET":
                self._send(data[int(first) :])

        def _send(self, data: bytes) -> None:
            large = len(data) >= LARGE
            stop = (
                (hub.cut_after if hub.cut_after is not None else hub.hang_after) if large else None
            )
            try:
                self.wfile.write(data[:stop])
                self.wfile.flush()
                if stop is None:
                    return
                if hub.cut_after is None:
                    hub.hung.set()
                    hub.let_go.wait()
            except OSError:
                pass  # The other side has gone.
            self.close_connection = True

    return Handler
