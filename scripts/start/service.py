"""Start the service as a child of its own session and wait until it is healthy."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from backend.settings import Settings
from scripts.setup.stamps import CHECKOUT
from scripts.start.client import Client

READY = "Listening on "
_PATIENCE = 60.0
_TICK = 0.02


class NotStarted(Exception):
    """The service ended, or never became healthy; the message is what it said."""


def start_service(settings: Settings) -> tuple[subprocess.Popen[bytes], Client]:
    """Answer the process and a client once /health says so.

    Its output goes to a file, so it lives on when this terminal is gone.
    """
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    said = settings.logs_dir / "server.out"
    command = [sys.executable, "-m", "backend", "--host", settings.host]
    with said.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(settings.port), "--data-dir", str(settings.data_dir)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return server, _wait(server, said, settings.token)
    except BaseException:
        if server.poll() is None:
            server.terminate()
            server.wait(10)
        raise


def _wait(server: subprocess.Popen[bytes], said: Path, token: str | None) -> Client:
    deadline = time.monotonic() + _PATIENCE
    client: Client | None = None
    while time.monotonic() < deadline:
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        ready = [line for line in lines if line.startswith(READY) and line.endswith("\n")]
        if ready and client is None:
            client = Client(ready[0].removeprefix(READY).strip(), token)
        if client is not None and client.healthy():
            return client
        if server.poll() is not None:
            raise NotStarted("".join(lines[-20:]).strip() or f"It ended with {server.returncode}.")
        time.sleep(_TICK)
    raise NotStarted(f"It did not become healthy within {_PATIENCE:.0f} seconds; see {said}.")
