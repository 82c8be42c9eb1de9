"""A service that gives scripted answers, on a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

RUN = "81cee4a0-f868-4951-a3c9-1ed10408b683"
IDLE: dict[str, Any] = {
        "session_id": None, "state": "idle", "phase": None, "metrics": {}, "config": None,
        "error": None, "queue": []}  # fmt: skip
HEALTHY = {"status": "healthy", "version": "0.1.0", "timestamp": "2026-01-01T00:00:00Z"}


@dataclass
class Refusal:
    """An answer that says no."""

    status: int
    detail: str
    hint: str | None = None


@dataclass
class FakeService:
    """`answers`: by "GET /path" without the query; a list is given one by one."""

    url: str
    answers: dict[str, Any]
    requests: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, asked: str, body: Any) -> Any:
        self.requests.append((asked, body))
        found = self.answers.get(asked, Refusal(404, f"No {asked}."))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found(body) if isinstance(found, Callable) else found  # type: ignore[arg-type]

    def bodies(self, asked: str) -> list[Any]:
        return [body for one, body in self.requests if one == asked]


@contextmanager
def fake_service() -> Iterator[FakeService]:
    """One that answers while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            fake.headers.append(dict(self.headers))
            found = fake.answer(f"{self.command} {self.path.partition('?')[0]}", body)
            status, kind = 200, "application/json"
            if isinstance(found, Refusal):
                status = found.status
                found = {"error": "NotFound", "detail": found.detail, "hint": found.hint}
            if isinstance(found, str):
                kind, data = "text/event-stream", found.encode()
            else:
                data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names that the base class calls

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeService(f"http://127.0.0.1:{server.server_port}", {"GET /health": HEALTHY})
        fake.answers |= {"GET /training/status": IDLE}
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
