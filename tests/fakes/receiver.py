"""A service on this machine that takes messages and keeps them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """`answers` are the codes of its first answers; 200 after them."""

    def __init__(self, url: str, answers: Sequence[int]) -> None:
        self.url = url
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self._answers = list(answers)

    def take(self, path: str, body: bytes) -> int:
        self.posts.append((path, json.loads(body)))
        return self._answers.pop(0) if self._answers else 200


@contextmanager
def receiving(*answers: int) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            code = receiver.take(self.path, body)
            self.send_response(code)
            if code == 302:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}", answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
