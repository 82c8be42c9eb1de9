"""`python -m backend`: one server for one data root, on one address."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import os
import socket
import sys
from collections.abc import Sequence

from backend.core.disk.lock import AlreadyRunning, ServerLock
from backend.core.logs import write_log_to
from backend.settings import Settings, read_settings

LOCK = "server.lock"
CANNOT_SERVE = 1  # The port or the data root is taken, or can't be used.
BAD_SETTINGS = 2


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
            listening = listen(settings)
            # With port 0 the real one is known only now, and the guard compares with it.
            settings = dataclasses.replace(settings, port=listening.getsockname()[1])
            lock.write(url=local_url(settings))
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
        data, sessions = settings.data_dir, settings.sessions_dir
        folders = (data, sessions, settings.adapters_dir, settings.logs_dir)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        lock = ServerLock(sessions / LOCK, folders=folders)
    except OSError as problem:
        raise CannotServe(
            f"The data root {settings.data_dir} can't be used: {problem.strerror} "
            f"({problem.filename}). Choose another folder with --data-dir or DROID_DATA_DIR."
        ) from problem
    write_log_to(settings.logs_dir)
    return lock


def listen(settings: Settings) -> socket.socket:
    """The listening socket. CannotServe when the address is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named: 40 ms per kept-alive request.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
    # A second of imports, which a refusal should not wait for.
    from backend.main import serve, serve_reloading

    def say_ready() -> None:
        try:
            sys.stdout.write(f"Listening on {local_url(settings)}\n")
            sys.stdout.flush()
        except OSError:  # Led to a file on a full disk; server.lock has the address too.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - or its end fails as well

    (serve_reloading if reload else serve)(settings, listening, ready=say_ready)


def local_url(settings: Settings) -> str:
    """Where programs on this machine reach the server, wherever else it listens."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    host = f"[{here}]" if ":" in here else here
    return f"http://{host}:{settings.port}"


if __name__ == "__main__":
    sys.exit(main())
