"""The whole app in this process, served on a free port by a thread: real sockets, no child."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from websockets.sync.client import ClientConnection, connect

from backend.__main__ import listen
from backend.api.services import Services
from backend.app import create_app
from backend.main import SERVED, Server
from backend.settings import Settings
from tests.jobs.world import make_recipe

Frame = dict[str, Any]


@dataclass
class Live:
    app: FastAPI
    server: Server
    settings: Settings
    loop: asyncio.AbstractEventLoop
    client: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something on the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        async def publish() -> None:
            self.services.hub.publish(kind, data)

        self.do(publish())

    def start(self, *, name: str = "adapter", **fake: Any) -> str:
        recipe = make_recipe(self.settings, name=name, **fake)
        self.do(self.services.supervisor.start(recipe))
        return recipe.session_id

    @contextmanager
    def listening(
        self, query: str = "", *, path: str = "/ws", **options: Any
    ) -> Iterator[ClientConnection]:
        with connect(self.url.replace("http", "ws") + path + query, **options) as client:
            yield client


def next_frame(client: ClientConnection, *, timeout: float = 15) -> Frame:
    frame: Frame = json.loads(client.recv(timeout=timeout))
    return frame


def frames_until(client: ClientConnection, kind: str) -> list[Frame]:
    frames = [next_frame(client)]
    while frames[-1]["type"] != kind:
        frames.append(next_frame(client))
    return frames


@contextmanager
def serving(settings: Settings, *, token: str | None = None) -> Iterator[Live]:
    """`token` is what the client sends, where the settings ask for one."""
    listening = listen(dataclasses.replace(settings, port=0))
    settings = dataclasses.replace(settings, port=listening.getsockname()[1])
    app = create_app(settings)
    ready, loops = threading.Event(), list[asyncio.AbstractEventLoop]()

    def note_ready() -> None:
        loops.append(asyncio.get_running_loop())
        ready.set()

    server = Server(uvicorn.Config(app, **SERVED), note_ready)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert ready.wait(20), "the server did not start"
        url = f"http://127.0.0.1:{settings.port}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [documented_by(app)]}
        with httpx.Client(
            base_url=url, headers=headers, timeout=20, trust_env=False, event_hooks=hooks
        ) as client:
            live = Live(app, server, settings, loops[0], client)
            yield live
            live.do(live.services.supervisor.stop(save=False))
    finally:
        server.should_exit = True
        thread.join(20)


def documented_by(app: FastAPI) -> Callable[[httpx.Response], None]:
    """A check that an answer has a status which `/openapi.json` names for its operation."""
    routes = [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), operations)
        for path, operations in app.openapi()["paths"].items()
    ]

    def check(answer: httpx.Response) -> None:
        path, method = answer.request.url.path, answer.request.method.lower()
        for pattern, operations in routes:
            if pattern.match(path) and method in operations:
                named = operations[method]["responses"]
                assert str(answer.status_code) in named, f"{method} {path}: {answer.status_code}"
                return

    return check
