"""Start the service as a child of its own session and wait until it is healthy."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from backend.cli.client import Client
from backend.core.disk.lock import read_holder
from backend.settings import Settings
from scripts.setup.stamps import CHECKOUT

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
        return server, _wait(server, said, settings)
    except BaseException:
        if server.poll() is None:
            server.terminate()
            server.wait(10)
        raise


def _wait(server: subprocess.Popen[bytes], said: Path, settings: Settings) -> Client:
    deadline = time.monotonic() + _PATIENCE
    client: Client | None = None
    while time.monotonic() < deadline:
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        url = announced_url(lines, server.pid, settings)
        if url is not None and client is None:
            client = Client(url, settings.token)
        if client is not None and client.healthy():
            return client
        if server.poll() is not None:
            raise NotStarted("".join(lines[-20:]).strip() or f"It ended with {server.returncode}.")
        time.sleep(_TICK)
    raise NotStarted(f"It did not become healthy within {_PATIENCE:.0f} seconds; see {said}.")


def announced_url(lines: list[str], pid: int, settings: Settings) -> str | None:
    """Where the server says it listens; a full disk may have kept that out of its output."""
    ready = [line for line in lines if line.startswith(READY) and line.endswith("\n")]
    if ready:
        return ready[0].removeprefix(READY).strip()
    holder = read_holder(settings.sessions_dir / "server.lock")
    url = holder.get("url") if holder.get("pid") == pid else None
    return url if isinstance(url, str) else None
