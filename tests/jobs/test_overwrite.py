"""An adapter that is overwritten is never lost: whatever ends the run, at whatever moment."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk.files import append_jsonl
from backend.jobs.leftovers import settle_leftovers, settle_run
from backend.jobs.prepare import prepare
from backend.jobs.run.store import SessionStore
from backend.settings import Settings
from tests.jobs.world import World, make_recipe

OLD = {"adapters.safetensors": b"old", "best_adapters.safetensors": b"old best", "tags.json": b"{}"}
CHANGES = ("rename", "replace", "mkdir", "rmdir", "unlink", "open")


def fill(adapter: Path) -> None:
    adapter.mkdir(parents=True)
    for name, content in OLD.items():
        (adapter / name).write_bytes(content)


def content(adapter: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in adapter.iterdir() if path.is_file()}


async def test_a_stop_without_saving_brings_the_old_adapter_back_after_a_best(
    world: World,
) -> None:
    """The first best used to give the old one up."""
    fill(world.settings.adapters_dir / "adapter")
    await world.supervisor.start(world.recipe(overwrite=True, mode="endless", save_best=True))
    await world.until(lambda frame: frame["type"] == "best_model_updated")
    assert (world.settings.adapters_dir / "adapter" / "best_adapters.safetensors").is_file()

    await world.supervisor.stop(save=False)
    last = await world.until_end()

    assert content(world.settings.adapters_dir / "adapter") == OLD
    assert "is back" in last["data"]["message"]


async def test_a_killed_engine_brings_the_old_adapter_back(world: World) -> None:
    fill(world.settings.adapters_dir / "adapter")
    await world.supervisor.start(world.recipe(overwrite=True, mode="endless", save_best=True))
    await world.until(lambda frame: frame["type"] == "best_model_updated")
    pid = world.supervisor.status().pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    assert (await world.until_end())["type"] == "training_error"
    assert content(world.settings.adapters_dir / "adapter") == OLD


@pytest.mark.parametrize("save", [True, False])
async def test_only_a_stop_that_saves_replaces(world: World, save: bool) -> None:
    fill(world.settings.adapters_dir / "adapter")
    await world.supervisor.start(world.recipe(overwrite=True, mode="endless"))
    await world.until_state("running")

    await world.supervisor.stop(save=save)
    await world.until_end()

    assert (content(world.settings.adapters_dir / "adapter") == OLD) is not save
    assert len(list(world.settings.adapters_dir.iterdir())) == 1


@pytest.mark.parametrize("end", ["completed", "error", None])
def test_a_server_killed_at_any_change_of_a_file_loses_neither(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, end: str | None
) -> None:
    """Killed before the first change, the second, and so on until there is none left."""
    number = 0
    while True:
        number += 1
        store = SessionStore(settings.sessions_dir, settings.adapters_dir)
        store.open()
        adapter = settings.adapters_dir / f"adapter{number}"
        fill(adapter)
        recipe = make_recipe(settings, name=adapter.name, overwrite=True)
        lineage = json.dumps({"session_id": recipe.session_id}).encode()
        new = {"droid.json": lineage, "adapters.safetensors": b"new"}

        def run(store: SessionStore = store, recipe: Any = recipe, new: Any = new) -> None:
            record = prepare(recipe, store)
            for name, raw in new.items():
                (recipe.adapter_path / name).write_bytes(raw)
            if end is not None:
                event = {"seq": 1, "at": "2026-01-01T00:00:00Z", "type": "exit", "code": 0}
                path = store.folder(recipe.session_id) / "events.jsonl"
                append_jsonl(path, event | {"state": end, "message": ""})
            exit_ = store.progress(recipe.session_id).exit
            settle_run(store, recipe.session_id, record.adapter_path, exit_)

        whole = killed_at(number, run, monkeypatch)
        ended = store.progress(recipe.session_id).exit is not None
        for _ in range(2):  # The next server, and the one after it.
            store.open()
            settle_leftovers(store, live=None)

        replaced = end == "completed" and ended
        found = content(adapter)
        assert found == (new if replaced else OLD), number
        assert {path.name for path in settings.adapters_dir.iterdir()} == {
            f"adapter{count + 1}" for count in range(number)
        }
        if whole:
            break
    assert number > 10


def killed_at(number: int, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do the work in a process that is killed at its `number`-th change; whether it was not."""
    pid = os.fork()
    if pid == 0:
        left, opened = [number], os.open

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **more: Any) -> Any:
                if real is opened and not args[1] & (os.O_WRONLY | os.O_RDWR):
                    return real(*args, **more)  # Reading changes nothing.
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **more)

            return call

        try:
            for name in CHANGES:
                monkeypatch.setattr(os, name, counted(getattr(os, name)))
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFEXITED(status)
