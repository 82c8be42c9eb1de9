"""The app behind uvicorn: how it is served, once or again after every change of the code."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import ChangeReload

from backend.api.connection import IDLE_FOR, MAX_CONNECTIONS, Connection
from backend.app import create_app
from backend.settings import CHECKOUT, Settings, read_settings

# The tests serve the app with the same.
SERVED: dict[str, Any] = {
    "log_config": None,
    "access_log": False,  # It would write tokens that stand in addresses.
    "ws_max_size": 64 * 1024,
    "ws_per_message_deflate": False,
    "http": Connection,
    "timeout_keep_alive": int(IDLE_FOR),
    "timeout_graceful_shutdown": 5,
    "server_header": False,
}


def serve(settings: Settings, listening: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until a signal asks to end; `ready` is called once requests are answered."""
    # uvicorn raises the signals that it caught again, once all is closed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: None)
    _allow_open_files(2 * MAX_CONNECTIONS)
    with suppress(KeyboardInterrupt):
        Server(uvicorn.Config(create_app(settings), **SERVED), ready).run(sockets=[listening])


def _allow_open_files(limit: int) -> None:
    """Let this process hold that many files and sockets; macOS gives 256 unless asked."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # Not allowed here: it goes on with fewer.
        if now != resource.RLIM_INFINITY and now < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))


class Server(uvicorn.Server):
    """Says when it is ready, and takes a closed terminal for a request to end."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        with suppress(ValueError):  # Not the main thread, as in tests.
            signal.signal(signal.SIGHUP, self.handle_exit)
        self._ready()


def serve_reloading(
    settings: Settings, listening: socket.socket, *, ready: Callable[[], None]
) -> None:
    """Serve from a child that is replaced on every change; it reads the environment."""
    os.environ |= {
        "DROID_DATA_DIR": str(settings.data_dir),
        "DROID_MODELS_DIR": os.pathsep.join(map(str, settings.models_dirs)),
        "DROID_HOST": settings.host,
        "DROID_PORT": str(settings.port),
        **({"DROID_TOKEN": settings.token} if settings.token else {}),
    }
    config = uvicorn.Config(
        "backend.main:app_of_environment",
        factory=True,
        reload=True,
        reload_dirs=[str(CHECKOUT / "backend")],
        **SERVED,
    )
    ready()  # Requests wait in the socket until the child takes them.
    ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listening]).run()


def app_of_environment() -> FastAPI:
    """The app with all its settings from the environment."""
    return create_app(read_settings())
