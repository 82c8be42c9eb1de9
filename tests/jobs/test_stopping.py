"""Stopping, pausing and killing: what was asked for, within the time it may take."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from backend.errors import WrongState
from backend.jobs.live_run import LiveRun
from backend.jobs.run.schemas import DataSummary
from backend.jobs.stopping import Grace, StopPatience
from tests.jobs.world import ENDINGS, World


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_stop_that_saves_keeps_the_weights_and_ends_as_stopped(world: World) -> None:
    session_id = await world.start(mode="endless")
    await world.until(lambda f: (f["data"].get("metrics") or {}).get("current_step"))

    result = await world.supervisor.stop(save=True)
    last = await world.until_end()

    assert result.status == "stopped"
    assert last["type"] == "training_stopped"
    assert "and saved" in last["data"]["message"]
    assert (world.settings.adapters_dir / "adapter" / "adapters.safetensors").exists()
    assert world.record(session_id)["state"] == "stopped"


async def test_a_stop_that_is_awaited_says_that_the_run_has_ended(world: World) -> None:
    await world.start(mode="endless")
    await world.until_state("running")

    result = await world.supervisor.stop(save=True, wait=15)

    assert (result.status, result.finished) == ("stopped", True)
    assert "and saved" in result.message


async def test_a_stop_without_saving_leaves_no_adapter_and_frees_the_name(world: World) -> None:
    await world.start(mode="endless")
    await world.until_state("running")

    await world.supervisor.stop(save=False)
    assert (await world.until_end())["type"] == "training_stopped"

    assert not (world.settings.adapters_dir / "adapter").exists()
    await world.start(steps=1)
    assert (await world.until_end())["type"] == "training_completed"


async def test_a_stop_is_answered_within_a_second_though_the_engine_ignores_it(
    world: World,
) -> None:
    """F18: the call answers, then the engine is killed; that is `stopped`, not an error."""
    session_id = await world.start(mode="ignore-term")
    await world.until(lambda f: f["data"].get("phase") == "evaluating")

    result = await world.supervisor.stop(save=True, wait=0.05)

    assert (result.status, result.finished) == ("stopped", False)
    assert world.record(session_id)["state"] == "stopping"
    last = await world.until_end()
    assert last["type"] == "training_stopped"
    assert world.record(session_id)["state"] == "stopped"


async def test_a_kill_takes_grandchildren_even_one_with_its_own_session(world: World) -> None:
    """F19."""
    session_id = await world.start(mode="grandchildren")
    await world.until(lambda f: f["data"].get("phase") == "evaluating")
    pids = json.loads((world.folder(session_id) / "pids.json").read_text())
    assert len(pids) == 3

    await world.supervisor.stop(save=True)
    await world.until_end()

    assert [is_gone(pid) for pid in pids] == [True, True, True]


async def test_what_a_finished_run_left_behind_is_ended(world: World) -> None:
    session_id = await world.start(mode="leaves-a-child")
    await world.until_end()

    pids = json.loads((world.folder(session_id) / "pids.json").read_text())
    assert [is_gone(pid) for pid in pids] == [True]


async def test_stopping_twice_and_stopping_nothing_are_harmless(world: World) -> None:
    """F17."""
    idle = await world.supervisor.stop(save=True)
    assert (idle.status, idle.finished) == ("idle", True)
    await world.start(mode="silent")
    await world.until_state("running")

    answers = await asyncio.gather(*(world.supervisor.stop(save=True) for _ in range(3)))

    assert {answer.status for answer in answers} == {"stopped"}
    assert (await world.until_end())["type"] == "training_stopped"
    assert (await world.supervisor.stop(save=True)).status == "idle"


async def test_a_stop_while_the_run_is_being_prepared_ends_as_stopped(world: World) -> None:
    """F17."""
    entered, gate = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow_stage(folder: Path) -> DataSummary:
        loop.call_soon_threadsafe(entered.set)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
        return DataSummary()

    recipe = dataclasses.replace(world.recipe(mode="endless"), stage=slow_stage)
    starting = asyncio.create_task(world.supervisor.start(recipe))
    await entered.wait()
    stopping = asyncio.create_task(world.supervisor.stop(save=True))
    await asyncio.sleep(0)
    gate.set()
    await starting

    assert (await world.until_end())["type"] == "training_stopped"
    assert (await stopping).status == "stopped"
    assert world.supervisor.status().state == "stopped"


async def test_runs_that_were_stopped_leave_no_zombie(world: World) -> None:
    """F21; and a start right after a stop is accepted."""
    # Tests that play a restart leave children that nobody waits for until they are collected.
    before = set(psutil.Process().children(recursive=True))
    for number in range(4):
        await world.start(mode="silent", name=f"adapter_{number}")
        await world.until_state("running")
        await world.supervisor.stop(save=False)
        await world.until_end()

    mine = set(psutil.Process().children(recursive=True)) - before
    assert [p for p in mine if p.status() == psutil.STATUS_ZOMBIE] == []


async def test_a_run_pauses_before_its_next_step_and_goes_on(world: World) -> None:
    session_id = await world.start(mode="endless")
    await world.until_state("running")

    assert await world.supervisor.pause() == "paused"
    assert world.record(session_id)["state"] == "paused"
    assert await world.supervisor.resume() == "running"
    assert world.record(session_id)["state"] == "running"


async def test_a_paused_run_can_be_stopped_and_saved(world: World) -> None:
    await world.start(mode="endless")
    await world.until_state("running")
    await world.supervisor.pause()

    await world.supervisor.stop(save=True)

    assert (await world.until_end())["type"] == "training_stopped"
    assert (world.settings.adapters_dir / "adapter" / "adapters.safetensors").exists()


async def test_pausing_nothing_is_refused(world: World) -> None:
    with pytest.raises(WrongState, match="idle"):
        await world.supervisor.pause()


async def test_only_one_ending_is_ever_told(world: World) -> None:
    """The reference told `stopped`, then `error` for the same stop."""
    await world.start(mode="endless")
    await world.until_state("running")
    await world.supervisor.stop(save=True)
    await world.until_end()
    await world.start(steps=1, name="next")
    await world.until_end()

    endings = [f["type"] for f in world.frames if f["type"] in ENDINGS]
    assert endings == ["training_stopped", "training_completed"]


def test_each_stage_of_an_end_has_its_own_time() -> None:
    """A save that took a minute leaves the last word its ten seconds."""

    def run(phase: str, *, said: bool = False, step: float = 0.0) -> LiveRun:
        progress = SimpleNamespace(phase=phase, exit=object() if said else None)
        return cast(LiveRun, SimpleNamespace(progress=progress, seconds_per_step=step))

    patience = StopPatience(Grace(stop=10, save=120, exit=10), 0.0)
    assert not patience.is_over(run("training"), 9.0)
    assert not patience.is_over(run("training", step=5.0), 14.0)
    assert not patience.is_over(run("saving"), 14.0)
    assert not patience.is_over(run("saving"), 130.0)
    assert not patience.is_over(run("done"), 131.0)
    assert not patience.is_over(run("done", said=True), 132.0)
    assert not patience.is_over(run("done", said=True), 141.0)
    assert patience.is_over(run("done", said=True), 143.0)
    assert StopPatience(Grace(stop=10), 0.0).is_over(run("training"), 11.0)
    saving = StopPatience(Grace(save=120), 0.0)
    assert not saving.is_over(run("saving"), 1.0)
    assert saving.is_over(run("saving"), 122.0)
