"""`python -m backend`: one server for one data root, on one address."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.supervisors import ChangeReload

from backend.app import create_app
from backend.core.lock import AlreadyRunning, ServerLock
from backend.core.logs import write_log_to
from backend.settings import CHECKOUT, Settings, read_settings

LOCK = "server.lock"
CANNOT_SERVE = 1  # The port or the data root is taken, or can't be used.
BAD_SETTINGS = 2

_QUIET: dict[str, Any] = {
    "log_config": None,
    "access_log": False,  # It would write tokens that stand in addresses.
    "ws_max_size": 64 * 1024,
    "ws_per_message_deflate": False,
    "timeout_keep_alive": 15,
    "timeout_graceful_shutdown": 5,
    "limit_concurrency": 256,
    "server_header": False,
}


class CannotServe(Exception):
    """The server can't start; says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until asked to end. Answers the exit code."""
    flags = _parser().parse_args(argv)
    try:
        settings = read_settings(
            data_dir=flags.data_dir,
            models_dirs=flags.models_dir or (),
            host=flags.host,
            port=flags.port,
            token=flags.token,
        )
    except ValueError as problem:
        sys.stderr.write(f"{problem}\n")
        return BAD_SETTINGS
    try:
        lock = _lock(settings)
        try:
            listening = _listen(settings)
            # With port 0 the real one is known only now, and the guard compares with it.
            settings = dataclasses.replace(settings, port=listening.getsockname()[1])
            lock.write(url=_url(settings))
            _serve(settings, listening, reload=flags.reload)
        finally:
            lock.release()
    except (CannotServe, AlreadyRunning) as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT_SERVE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__)
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port (default 8000); 0 picks a free one")
    parser.add_argument("--data-dir", metavar="DIR", help="root of everything that is written")
    parser.add_argument(
        "--models-dir", metavar="DIR", action="append", help="folder of base models; repeatable"
    )
    parser.add_argument("--token", help="needed to listen on anything but this computer")
    parser.add_argument("--reload", action="store_true", help="start again when the code changes")
    return parser


def _lock(settings: Settings) -> ServerLock:
    try:
        for folder in (settings.data_dir, settings.sessions_dir):
            folder.mkdir(parents=True, exist_ok=True)
        lock = ServerLock(settings.sessions_dir / LOCK)
    except OSError as problem:
        raise CannotServe(
            f"The data root {settings.data_dir} can't be used: {problem.strerror} "
            f"({problem.filename}). Choose another folder with --data-dir or DROID_DATA_DIR."
        ) from problem
    write_log_to(settings.logs_dir)
    return lock


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(256)
    except OSError as problem:
        listening.close()
        if problem.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"Port {settings.port} is already in use by another program. "
                "Choose another with --port, or --port 0 for any free one."
            ) from problem
        raise CannotServe(
            f"{settings.host}:{settings.port} can't be listened on: {problem.strerror}. "
            "Choose another with --host and --port."
        ) from problem
    return listening


def _serve(settings: Settings, listening: socket.socket, *, reload: bool) -> None:
    if reload:
        _serve_reloading(settings, listening)
        return
    config = uvicorn.Config(create_app(settings), **_QUIET)
    server = _Server(config, ready=_url(settings))
    # uvicorn raises the signals that it caught again, once all is closed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: None)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Says when it is ready, and takes a closed terminal for a request to end."""

    def __init__(self, config: uvicorn.Config, *, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        signal.signal(signal.SIGHUP, self.handle_exit)
        _say_ready(self._ready)


def _serve_reloading(settings: Settings, listening: socket.socket) -> None:
    """The code is served by a child that is replaced on every change; it reads the environment."""
    os.environ |= {
        "DROID_DATA_DIR": str(settings.data_dir),
        "DROID_MODELS_DIR": os.pathsep.join(map(str, settings.models_dirs)),
        "DROID_HOST": settings.host,
        "DROID_PORT": str(settings.port),
        **({"DROID_TOKEN": settings.token} if settings.token else {}),
    }
    config = uvicorn.Config(
        "backend.main:app", reload=True, reload_dirs=[str(CHECKOUT / "backend")], **_QUIET
    )
    _say_ready(_url(settings))  # Requests wait in the socket until the child takes them.
    ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listening]).run()


def _say_ready(url: str) -> None:
    sys.stdout.write(f"Listening on {url}\n")
    sys.stdout.flush()


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


if __name__ == "__main__":
    sys.exit(main())
