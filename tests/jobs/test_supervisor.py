"""A run's whole way, against the scripted engine: prepared, started, followed, shown again."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from pathlib import Path

import psutil
import pytest
import yaml

from backend.errors import AlreadyExists, BadContent, EngineMissing, RunAlreadyActive, WrongState
from backend.jobs.run.schemas import DataSummary
from backend.jobs.run.state import FINAL
from tests.jobs.world import World


async def test_a_run_is_told_in_order_and_its_record_holds_the_result(world: World) -> None:
    session_id = await world.start(steps=10)

    last = await world.until_end()

    kinds = [frame["type"] for frame in world.frames]
    assert kinds[0] == "training_started"
    assert last["type"] == "training_completed"
    assert last["data"]["message"] == "Training is done after 10 steps."
    assert "best_model_updated" in kinds
    assert "checkpoint_saved" in kinds
    seqs = [frame["seq"] for frame in world.frames]
    assert seqs == sorted(set(seqs))
    assert {frame["session_id"] for frame in world.frames} == {session_id}
    record = world.record(session_id)
    assert record["training_state"] == record["state"] == "completed"
    assert record["metrics"]["current_step"] == 10
    assert record["best_model"]["step"] == 10
    assert record["exit"]["message"] == "Training is done after 10 steps."
    assert record["pid"] > 1
    assert record["ended_at"] >= record["started_at"]


async def test_every_point_of_the_curve_is_told_once(world: World) -> None:
    await world.start(steps=12)
    await world.until_end()

    points = [f["data"]["point"] for f in world.frames if f["data"].get("point")]
    steps = [p["values"]["step"] for p in points if p["kind"] == "train"]
    assert steps == list(range(1, 13))
    snapshot = world.supervisor.snapshot()
    assert snapshot.series.train["step"] == steps
    assert snapshot.series.validation["step"] == [0, 5, 10]


async def test_the_state_is_starting_until_the_engine_trains(world: World) -> None:
    await world.start(steps=3)

    assert world.supervisor.status().state == "starting"
    await world.until_state("running")
    await world.until_end()


async def test_the_record_is_on_disk_before_the_start_is_answered(world: World) -> None:
    session_id = await world.start(mode="silent")

    assert world.record(session_id)["state"] in {"starting", "running"}
    config = yaml.safe_load((world.folder(session_id) / "config.yaml").read_text())
    assert config["session_id"] == session_id
    latest = json.loads((world.settings.sessions_dir / "latest.json").read_text())
    assert latest == {"latest_session_id": session_id}


async def test_the_run_folder_and_its_files_are_private(world: World) -> None:
    session_id = await world.start(steps=1)
    await world.until_end()

    folder = world.folder(session_id)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "config.yaml").stat().st_mode & 0o777 == 0o600
    assert (folder / "train.log").stat().st_mode & 0o777 == 0o600


async def test_the_engine_gets_one_fixed_argument_list(world: World) -> None:
    """T12: names and paths go through the configuration file, never through flags."""
    session_id = await world.start(mode="silent")
    await world.until_state("running")

    pid = world.supervisor.status().pid
    assert pid is not None
    argv = psutil.Process(pid).cmdline()
    assert argv[-3:] == ["-m", "backend.engines.sft", str(world.folder(session_id))]


async def test_a_secret_of_the_server_does_not_reach_the_engine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T23."""
    monkeypatch.setenv("HF_TOKEN", "hf_MARK_MARK_MARK")
    await world.start(mode="silent")
    await world.until_state("running")

    pid = world.supervisor.status().pid
    assert pid is not None
    assert "hf_MARK_MARK_MARK" not in str(psutil.Process(pid).environ())


async def test_a_run_that_reports_gets_the_key_of_its_service_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "of wandb")
    monkeypatch.setenv("SWANLAB_API_KEY", "of swanlab")
    recipe = world.recipe(mode="silent")
    reports = {**recipe.config, "report_to": "wandb"}
    await world.supervisor.start(dataclasses.replace(recipe, config=reports))
    await world.until_state("running")

    env = psutil.Process(world.supervisor.status().pid or 0).environ()
    assert env.get("WANDB_API_KEY") == "of wandb"
    assert "SWANLAB_API_KEY" not in env


async def test_of_fifty_starts_at_once_exactly_one_is_accepted(world: World) -> None:
    """F16."""
    answers = await asyncio.gather(
        *(world.start(mode="silent", name=f"adapter_{n}") for n in range(50)),
        return_exceptions=True,
    )

    accepted = [answer for answer in answers if isinstance(answer, str)]
    refused = [answer for answer in answers if isinstance(answer, RunAlreadyActive)]
    assert (len(accepted), len(refused)) == (1, 49)
    assert re.search(r"A run is already active: adapter_\d+\.", refused[0].detail)
    assert len(list(world.settings.sessions_dir.glob("session_*.json"))) == 1
    assert len(list(world.settings.adapters_dir.iterdir())) == 1


async def test_a_start_that_fails_while_preparing_leaves_nothing(world: World) -> None:
    def stage(folder: Path) -> DataSummary:
        raise BadContent("Line 7 is not JSON.")

    recipe = dataclasses.replace(world.recipe(), stage=stage)
    with pytest.raises(BadContent, match="Line 7"):
        await world.supervisor.start(recipe)

    assert world.supervisor.status().state == "idle"
    assert list(world.settings.sessions_dir.iterdir()) == []
    assert list(world.settings.adapters_dir.iterdir()) == []
    await world.start(steps=1)
    await world.until_end()


async def test_an_engine_that_cannot_be_started_ends_in_error_with_the_reason(
    world: World,
) -> None:
    broken = dataclasses.replace(world.settings, python=Path("/nowhere/python"))
    lost = World(broken)
    await lost.supervisor.open()
    with pytest.raises(EngineMissing, match="/nowhere/python"):
        await lost.start()

    status = lost.supervisor.status()
    assert status.state == "error"
    assert status.error is not None
    assert "/nowhere/python" in status.error.message
    assert not (broken.adapters_dir / "adapter").exists()
    with pytest.raises(EngineMissing):
        await lost.start()


async def test_a_start_that_trips_after_its_record_was_written_ends_in_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug() -> None:
        raise RuntimeError("a bug")

    def unreadable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    world.supervisor.make_room = bug
    with pytest.raises(RuntimeError, match="a bug"):
        await world.start(name="first")
    await world.until_end()
    world.supervisor.make_room = None
    with monkeypatch.context() as patch:
        patch.setattr("backend.jobs.recovery.begin", unreadable)
        with pytest.raises(EngineMissing, match="Input/output error"):
            await world.start(name="second")
    await world.until_end()

    assert world.supervisor.active_session is None
    records = [
        world.record(path.name) for path in world.settings.sessions_dir.iterdir() if path.is_dir()
    ]
    assert [record["state"] for record in records] == ["error", "error"]
    assert list(world.settings.adapters_dir.iterdir()) == []
    await world.start(mode="fast")
    assert (await world.until_end())["type"] == "training_completed"


async def test_an_adapter_that_exists_is_refused_unless_it_may_be_overwritten(
    world: World,
) -> None:
    await world.start(steps=1)
    await world.until_end()
    with pytest.raises(AlreadyExists, match="adapter"):
        await world.start(steps=1)
    stale = world.settings.adapters_dir / "adapter" / "0000900_adapters.safetensors"
    stale.write_bytes(b"")

    await world.supervisor.start(world.recipe(overwrite=True, steps=1))
    await world.until_end()

    assert not stale.exists()
    assert [p.name for p in world.settings.adapters_dir.iterdir()] == ["adapter"]


async def test_an_overwritten_adapter_comes_back_when_the_new_run_saved_nothing(
    world: World,
) -> None:
    await world.start(steps=1)
    await world.until_end()
    before = sorted(p.name for p in (world.settings.adapters_dir / "adapter").iterdir())

    await world.supervisor.start(world.recipe(overwrite=True, mode="crash"))
    await world.until_end()

    adapter = world.settings.adapters_dir / "adapter"
    assert sorted(p.name for p in adapter.iterdir()) == before


async def test_a_saved_session_can_be_shown_again(world: World) -> None:
    first = await world.start(steps=5, name="first")
    await world.until_end()
    await world.start(steps=2, name="second")
    await world.until_end()

    await world.supervisor.load(first)

    loaded = await world.until("session_loaded")
    assert loaded["data"]["session_id"] == first
    assert loaded["data"]["metrics"]["current_step"] == 5
    state = await world.until("training_state")
    assert state["data"]["series"]["train"]["step"] == [1, 2, 3, 4, 5]
    assert state["data"]["logs"]
    assert world.supervisor.status().state == "completed"


async def test_no_session_is_loaded_over_a_live_run(world: World) -> None:
    first = await world.start(steps=1, name="first")
    await world.until_end()
    await world.start(mode="silent", name="second")
    with pytest.raises(RunAlreadyActive):
        await world.supervisor.load(first)


async def test_the_active_run_cannot_be_deleted(world: World) -> None:
    session_id = await world.start(mode="silent")
    with pytest.raises(WrongState, match="active"):
        await world.supervisor.delete(session_id, files=True)


async def test_deleting_the_shown_session_resets_the_page(world: World) -> None:
    session_id = await world.start(steps=1)
    await world.until_end()

    await world.supervisor.delete(session_id, files=True)

    assert (await world.until("training_reset"))["data"]["message"]
    assert world.supervisor.status().state == "idle"
    assert not world.folder(session_id).exists()
    assert not (world.settings.adapters_dir / "adapter").exists()


@pytest.mark.parametrize("mode", ["normal", "crash"])
async def test_a_run_that_is_told_to_have_ended_does_not_refuse_the_next_one(
    world: World, mode: str
) -> None:
    for number in range(3):
        await world.start(mode=mode, steps=2, name=f"adapter-{number}")
        while world.supervisor.status().state not in FINAL:  # noqa: ASYNC110 - every turn counts
            await asyncio.sleep(0)
        world.supervisor.require_free()
        assert world.supervisor.snapshot().state in FINAL
        await world.until_end()
