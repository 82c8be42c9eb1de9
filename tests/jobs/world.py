"""A supervisor with its store and hub, without HTTP: what the tests of `runs` act upon."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.core.hub import Hub, Listener
from backend.jobs.queue import RunQueue
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.schemas import DataFile, DataSummary
from backend.jobs.run.store import SessionStore
from backend.jobs.stopping import Grace
from backend.jobs.supervisor import RunSupervisor
from backend.settings import Settings

Frame = dict[str, Any]
ENDINGS = {"training_completed", "training_stopped", "training_error"}
SHORT = Grace(stop=0.3, save=5.0, exit=2.0)


@dataclass
class World:
    settings: Settings
    grace: Grace = SHORT
    hub: Hub = field(default_factory=Hub)
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SessionStore(self.settings.sessions_dir, self.settings.adapters_dir)
        self.queue = RunQueue(self.settings.sessions_dir, self.hub)
        self.supervisor = RunSupervisor(
            self.settings, self.store, self.hub, queue=self.queue, grace=self.grace
        )
        listener = self.hub.listen()
        assert listener is not None
        self.listener: Listener = listener

    def recipe(self, *, name: str = "adapter", overwrite: bool = False, **fake: Any) -> Recipe:
        return make_recipe(self.settings, name=name, overwrite=overwrite, **fake)

    async def start(self, **fake: Any) -> str:
        recipe = self.recipe(**fake)
        await self.supervisor.start(recipe)
        return recipe.session_id

    async def until(self, wanted: Callable[[Frame], object] | str, *, limit: float = 15) -> Frame:
        """The next frame that is wanted (a function, or a type); an ending that is not fails."""
        matches = wanted if callable(wanted) else (lambda frame: frame["type"] == wanted)
        async with asyncio.timeout(limit):
            while True:
                sent = await self.listener.get()
                assert sent is not None, "the test's own listener was too slow"
                frame: Frame = json.loads(sent.text)
                self.frames.append(frame)
                if matches(frame):
                    return frame
                assert frame["type"] not in ENDINGS, f"The run ended first: {frame}"

    async def until_state(self, state: str) -> Frame:
        return await self.until(lambda frame: frame["data"].get("state") == state)

    async def until_end(self, *, limit: float = 15) -> Frame:
        return await self.until(lambda frame: frame["type"] in ENDINGS, limit=limit)

    def folder(self, session_id: str) -> Path:
        return self.settings.sessions_dir / session_id

    def record(self, session_id: str) -> dict[str, Any]:
        path = self.settings.sessions_dir / f"session_{session_id}.json"
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return value


def make_recipe(
    settings: Settings,
    *,
    name: str = "adapter",
    overwrite: bool = False,
    session_id: str | None = None,
    **fake: Any,
) -> Recipe:
    session_id = session_id or str(uuid.uuid4())
    adapter = settings.adapters_dir / name

    def stage(folder: Path) -> DataSummary:
        (folder / "data").mkdir()
        (folder / "data" / "train.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")
        part = {"adapter_path": str(adapter), **fake}
        (folder / "fake.json").write_text(json.dumps(part), encoding="utf-8")
        return DataSummary(train=DataFile(path="train.jsonl", sha256="0" * 64, rows=1))

    return Recipe(
        session_id=session_id,
        method="sft",
        engine="sft",
        adapter_name=name,
        adapter_path=adapter,
        total_steps=fake.get("steps", 20),
        config={"adapter_path": str(adapter), "session_id": session_id},
        request={"model_path": "/models/tiny", "adapter_name": name, "iterations": 20},
        command="mlx_lm.lora --config config.yaml",
        stage=stage,
        overwrite=overwrite,
    )
