"""The service of a data root: found by its lock, started in the background, and ended."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from backend.cli.client import Client, Refused
from backend.core.disk.lock import read_holder
from backend.core.process import TICK, Child, Identity, alive, spawn
from backend.core.process import signal as send
from backend.errors import EngineMissing
from backend.settings import CHECKOUT, Settings

_READY_WITHIN = 60.0
_GONE_WITHIN = 20.0
_TAIL = 20


class NoService(Exception):
    """No service answers and none could be started; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Started:
    """A service that this command has started."""

    client: Client
    child: Child


def lock_path(settings: Settings) -> Path:
    return settings.sessions_dir / "server.lock"


def find_service(settings: Settings) -> Client | None:
    """A client of the service that works on this data root; None where none answers."""
    url = read_holder(lock_path(settings)).get("url")
    if not isinstance(url, str):
        return None
    client = Client(url, settings.token)
    return client if client.version() is not None else None


def start_service(settings: Settings, *, port_chosen: bool) -> Started:
    """Start one in a session of its own and wait until it answers. It lives on when this command
    has ended. Where port 8000 is taken and none was chosen, it takes a free one.

    Raises NoService with the service's own words.
    """
    if not port_chosen and not port_is_free(settings.host, settings.port):
        settings = replace(settings, port=0)
    log = settings.logs_dir / "service.out"
    try:
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        written = log.stat().st_size if log.exists() else 0
        child = spawn(
            _command(settings), cwd=CHECKOUT, env=_environment(settings), log_path=log,
            mark=f"service of {settings.data_dir}",
        )  # fmt: skip
    except OSError as problem:
        raise NoService(
            f"The data root {settings.data_dir} can't be used: {problem.strerror} "
            f"({problem.filename}). Choose another folder with --data-dir or DROID_DATA_DIR."
        ) from problem
    except EngineMissing as problem:
        raise NoService(problem.detail) from problem
    try:
        return Started(_wait(child, settings, log, written), child)
    except BaseException:
        child.signal(signal.SIGTERM)
        raise


def _command(settings: Settings) -> list[str]:
    return [
        sys.executable, "-m", "backend", "--host", settings.host, "--port", str(settings.port),
        "--data-dir", str(settings.data_dir),
    ]  # fmt: skip


def _environment(settings: Settings) -> dict[str, str]:
    env = dict(os.environ)
    if settings.token:  # A command line is seen by every user of the machine.
        env["DROID_TOKEN"] = settings.token
    return env


def _wait(child: Child, settings: Settings, log: Path, written: int) -> Client:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        ended = not child.alive()
        holder = read_holder(lock_path(settings))
        # Its own, or that of one which another command started in the same moment.
        if holder.get("url") and (ended or holder.get("pid") == child.identity.pid):
            client = Client(str(holder["url"]), settings.token)
            if client.version() is not None:
                return client
        if ended:
            output = _said(log, written)
            raise NoService(output or f"The service ended with {child.exit_code()}; see {log}.")
        time.sleep(TICK)
    raise NoService(f"The service did not answer within {_READY_WITHIN:.0f} seconds; see {log}.")


def _said(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read(64 * 1024).decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-_TAIL:])


def port_is_free(host: str, port: int) -> bool:
    """Whether a service could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def end_service(settings: Settings) -> str | None:
    """Ask the service of this data root to end, and wait until it has: its address, or None where
    none runs. Runs go on by themselves. Raises NoService when it does not end.
    """
    holder = read_holder(lock_path(settings))
    pid, start = holder.get("pid"), holder.get("started")
    if not isinstance(pid, int) or not isinstance(start, float):
        return None
    process = Identity(pid, start)
    if not send(process, signal.SIGTERM):
        return None
    deadline = time.monotonic() + _GONE_WITHIN
    while alive(process):
        if time.monotonic() > deadline:
            raise NoService(
                f"The service (pid {pid}) was asked to end and still runs after "
                f"{_GONE_WITHIN:.0f} seconds. End it with: kill -9 {pid}"
            )
        time.sleep(TICK)
    return str(holder.get("url"))


def connect(settings: Settings, *, url: str | None, port_chosen: bool) -> tuple[Client, bool]:
    """A client of the service, and whether it was started just now.

    With `url` only that one is asked. Raises NoService, or Refused where a token is missing.
    """
    if url is not None:
        client = Client(url, settings.token)
        try:
            if client.version() is not None:
                return client, False
        except Refused as refusal:
            raise NoService(f"{url}: {refusal}") from refusal
        raise NoService(f"No service answers at {url}. Check the address (--url, DROID_URL).")
    service = find_service(settings)
    if service is not None:
        return service, False
    return start_service(settings, port_chosen=port_chosen).client, True
