"""A run's whole way, against the scripted engine: started, followed, ended, each way it can go."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from backend.errors import AlreadyExists, BadContent, EngineMissing, RunAlreadyActive, WrongState
from backend.runs.schemas import DataSummary
from tests.runs.world import ENDINGS, World


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


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


async def test_of_fifty_starts_at_once_exactly_one_is_accepted(world: World) -> None:
    """F16."""
    answers = await asyncio.gather(
        *(world.start(mode="silent", name=f"adapter_{n}") for n in range(50)),
        return_exceptions=True,
    )

    accepted = [answer for answer in answers if isinstance(answer, str)]
    refused = [answer for answer in answers if isinstance(answer, RunAlreadyActive)]
    assert (len(accepted), len(refused)) == (1, 49)
    assert accepted[0] in refused[0].detail
    assert len(list(world.settings.sessions_dir.glob("session_*.json"))) == 1
    assert len(list(world.settings.adapters_dir.iterdir())) == 1


async def test_a_stop_that_saves_keeps_the_weights_and_ends_as_stopped(world: World) -> None:
    session_id = await world.start(mode="endless")
    await world.until(lambda f: (f["data"].get("metrics") or {}).get("current_step"))

    result = await world.supervisor.stop(save=True)
    last = await world.until_end()

    assert result.status in {"stopping", "stopped"}
    assert last["type"] == "training_stopped"
    assert "and saved" in last["data"]["message"]
    assert (world.settings.adapters_dir / "adapter" / "adapters.safetensors").exists()
    assert world.record(session_id)["state"] == "stopped"


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

    assert result.status == "stopping"
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
    assert (await world.supervisor.stop(save=True)).status == "idle"
    await world.start(mode="silent")
    await world.until_state("running")

    answers = await asyncio.gather(*(world.supervisor.stop(save=True) for _ in range(3)))

    assert {answer.status for answer in answers} <= {"stopping", "stopped"}
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
    assert (await stopping).status in {"stopping", "stopped"}
    assert world.supervisor.status().state == "stopped"


async def test_runs_that_were_stopped_leave_no_zombie(world: World) -> None:
    """F21; and a start right after a stop is accepted."""
    for number in range(4):
        await world.start(mode="silent", name=f"adapter_{number}")
        await world.until_state("running")
        await world.supervisor.stop(save=False)
        await world.until_end()

    mine = psutil.Process().children(recursive=True)
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


HOW_IT_ENDS: list[tuple[str, str, str]] = [
    ("killed", "SIGKILL", "probably because memory ran out"),
    ("crash", "ValueError", "Model type foo not supported."),
    ("out-of-memory", "graphics processor ran out of memory", ""),
    ("no-exit-event", "without reporting a result", ""),
]


@pytest.mark.parametrize(("mode", "said", "also"), HOW_IT_ENDS, ids=[c[0] for c in HOW_IT_ENDS])
async def test_an_end_without_a_last_word_is_explained(
    world: World, mode: str, said: str, also: str
) -> None:
    """F1, and the failure matrix of the engines."""
    session_id = await world.start(mode=mode)

    last = await world.until_end()

    assert last["type"] == "training_error"
    assert said in last["data"]["error"]
    assert also in last["data"]["error"]
    assert last["data"]["hint"]
    record = world.record(session_id)
    assert record["state"] == "error"
    assert record["metrics"]["val_loss"] == 4.0, "what was measured is kept"
    assert world.supervisor.status().error is not None
    await world.start(steps=1, name="next")
    assert (await world.until_end())["type"] == "training_completed"


async def test_a_traceback_comes_with_the_error(world: World) -> None:
    await world.start(mode="crash")
    last = await world.until_end()
    assert any("Traceback" in line for line in last["data"]["log_tail"])


async def test_numbers_that_are_not_finite_are_null_with_one_warning_each(world: World) -> None:
    """F26: the last good loss is not shown for ever."""
    session_id = await world.start(mode="nan")
    last = await world.until_end()

    assert last["data"]["final_metrics"]["train_loss"] is None
    alerts = [f["data"] for f in world.frames if f["type"] == "training_alert"]
    assert [alert["code"] for alert in alerts] == ["not_finite", "not_finite"]
    assert world.supervisor.snapshot().series.train["train_loss"] == [1.5, None, None]
    assert "NaN" not in (world.settings.sessions_dir / f"session_{session_id}.json").read_text()


async def test_odd_bytes_in_log_and_events_stop_nothing(world: World) -> None:
    """F24, F25, T21."""
    await world.start(mode="odd-bytes")
    assert (await world.until_end())["type"] == "training_completed"

    lines = world.supervisor.snapshot().logs
    assert lines[0] == "bad �� utf-8"
    assert lines[1] == "bold and nul"
    assert lines[2:5] == ["10%", "50%", "100%"]
    assert len(lines[5]) == 8 * 1024
    assert lines[6] == "no newline at the end"
    assert world.supervisor.logs(100) == lines


async def test_a_flood_of_log_lines_is_shown_as_its_end(world: World) -> None:
    """F23: frames stay few and small; the file has every line."""
    session_id = await world.start(mode="flood")
    await world.until_end()

    logs = [f["data"]["log_lines"] for f in world.frames if f["data"].get("log_lines")]
    assert max(len(lines) for lines in logs) <= 501
    assert any("left out" in lines[0] for lines in logs)
    assert len(world.supervisor.snapshot().logs) == 500
    text = (world.folder(session_id) / "train.log").read_bytes()
    assert text.count(b"\n") == 100_000


async def test_many_events_at_once_come_as_a_snapshot(world: World) -> None:
    await world.start(mode="fast", steps=3000)
    await world.until_end()

    assert len(world.frames) < 1000
    assert len(world.supervisor.snapshot().series.train["step"]) == 3000
    told: set[float] = set()
    for frame in world.frames:
        if frame["type"] == "training_state":
            told |= set(frame["data"]["series"]["train"]["step"])
        elif frame["data"].get("point") and frame["data"]["point"]["kind"] == "train":
            told.add(frame["data"]["point"]["values"]["step"])
    assert told == set(range(1, 3001))


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


async def test_a_record_that_cannot_be_saved_is_told_and_the_run_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4."""
    session_id = await world.start(mode="endless")
    await world.until_state("running")
    before = world.record(session_id)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        await world.supervisor.pause()
        alert = await world.until("training_alert")
    assert alert["data"]["code"] == "record_not_saved"
    assert "No space left" in alert["data"]["message"]
    assert world.record(session_id) == before
    await world.supervisor.resume()
    await world.supervisor.stop(save=True)
    assert (await world.until_end())["type"] == "training_stopped"
    assert world.record(session_id)["state"] == "stopped"


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
