"""A real server in a child process, on a free port and a data root of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
READY = "Listening on "


@dataclass
class Server:
    process: subprocess.Popen[str]
    url: str
    data_dir: Path
    client: httpx.Client

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.client.post(path, json=dict(body or {}))
        assert answer.status_code == 200, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def kill(self) -> None:
        """End it as a crash would: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()

    def stop(self) -> int:
        """End it as a user would; answers the exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=20)


def start_server(data_dir: Path, *, port: int = 0, env: Mapping[str, str] | None = None) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "--port", str(port), "--data-dir", str(data_dir)],
        cwd=CHECKOUT,
        env={"DROID_SPARE_MINUTES": "0", **os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            url = line.removeprefix(READY).strip()
            client = httpx.Client(base_url=url, timeout=60, trust_env=False)
            return Server(process, url, data_dir, client)
    raise AssertionError(f"The server ended with {process.wait()} before it was ready.")


@contextmanager
def running_server(data_dir: Path, **options: Any) -> Iterator[Server]:
    server = start_server(data_dir, **options)
    try:
        yield server
    finally:
        if server.get("/training/status")["state"] in {"starting", "running", "paused"}:
            server.post("/training/stop", {"save": False, "hold_queue": True})
        server.stop()
