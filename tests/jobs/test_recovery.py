"""A server that died finds its run again: alive, ended unseen, or gone without a word."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pytest_asyncio

from backend.core.process import Identity, find_marked
from backend.jobs import recovery
from backend.settings import Settings
from tests.jobs.conftest import end_runs_under
from tests.jobs.world import World


async def reborn(old: World) -> World:
    """The next server on the same data root. The old one has said and written its last."""
    await old.supervisor.close()
    new = World(old.settings)
    await new.supervisor.open()
    return new


@pytest_asyncio.fixture
async def first(settings: Settings) -> AsyncIterator[World]:
    world = World(settings)
    await world.supervisor.open()
    yield world
    await world.supervisor.close()
    end_runs_under(settings.sessions_dir)


async def begun(world: World, **fake: Any) -> tuple[str, int]:
    session_id = await world.start(**fake)
    await world.until_state("running")
    pid = world.supervisor.status().pid
    assert pid is not None
    return session_id, pid


def rewrite(world: World, session_id: str, **fields: Any) -> None:
    path = world.settings.sessions_dir / f"session_{session_id}.json"
    path.write_text(json.dumps(world.record(session_id) | fields), encoding="utf-8")


async def test_a_living_run_is_adopted_with_all_its_points(first: World) -> None:
    """F2."""
    session_id, pid = await begun(first, mode="endless")
    await first.until(lambda f: (f["data"].get("metrics") or {}).get("current_step") == 7)

    second = await reborn(first)

    status = second.supervisor.status()
    assert (status.state, status.session_id, status.pid) == ("running", session_id, pid)
    steps = second.supervisor.snapshot().series.train["step"]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 7
    await second.supervisor.stop(save=True)
    assert (await second.until_end())["type"] == "training_stopped"
    snapshot = second.supervisor.snapshot()
    steps = snapshot.series.train["step"]
    assert steps == list(range(1, len(steps) + 1)), "no hole where the server was away"
    log = (second.folder(session_id) / "train.log").read_text().splitlines()
    assert snapshot.logs == log[-500:], "every line, once"
    await second.supervisor.close()


async def test_an_adopted_run_holds_the_slot(first: World) -> None:
    session_id, _ = await begun(first, mode="silent")
    second = await reborn(first)
    assert second.supervisor.active_session == session_id
    await second.supervisor.stop(save=False)
    await second.until_end()
    await second.supervisor.close()


async def test_a_paused_run_is_adopted_as_paused_and_goes_on(first: World) -> None:
    await begun(first, mode="endless")
    await first.supervisor.pause()

    second = await reborn(first)

    assert second.supervisor.status().state == "paused"
    assert await second.supervisor.resume() == "running"
    await second.supervisor.stop(save=False)
    await second.until_end()
    await second.supervisor.close()


async def test_a_run_whose_pid_was_never_written_is_found_by_its_mark(first: World) -> None:
    session_id, pid = await begun(first, mode="silent")
    await first.supervisor.close()
    rewrite(first, session_id, pid=None, process_started=None, state="starting")

    second = await reborn(first)

    assert second.supervisor.status().pid == pid
    await second.supervisor.stop(save=False)
    await second.until_end()
    await second.supervisor.close()


async def test_a_run_is_known_by_its_mark_when_the_clock_was_set(first: World) -> None:
    """F31: its start time, as the system tells it, has moved by a day."""
    session_id, pid = await begun(first, mode="silent")
    await first.supervisor.close()
    started = first.record(session_id)["process_started"] + 86_400
    rewrite(first, session_id, process_started=started)

    second = await reborn(first)

    assert second.supervisor.status().pid == pid
    await second.supervisor.stop(save=False)
    await second.until_end()
    await second.supervisor.close()


async def test_a_run_that_completed_unseen_is_completed(first: World) -> None:
    session_id, pid = await begun(first, steps=8, pause=0.05)
    await first.supervisor.close()
    psutil.Process(pid).wait()

    second = await reborn(first)

    assert second.supervisor.status().state == "completed"
    record = second.record(session_id)
    assert record["state"] == "completed"
    assert record["metrics"]["current_step"] == 8
    assert record["exit"]["message"] == "Training is done after 8 steps."
    await second.supervisor.close()


async def test_a_run_that_was_killed_unseen_is_interrupted(first: World) -> None:
    session_id, pid = await begun(first, mode="endless")
    await first.supervisor.close()
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait()

    second = await reborn(first)

    status = second.supervisor.status()
    assert status.state == "interrupted"
    assert status.error is not None
    assert status.error.hint
    record = second.record(session_id)
    assert record["state"] == "interrupted"
    assert record["metrics"]["train_loss"] is not None
    await second.start(steps=1, name="next")
    assert (await second.until_end())["type"] == "training_completed"
    await second.supervisor.close()


async def test_helpers_of_a_run_that_died_unseen_are_ended(first: World) -> None:
    session_id, pid = await begun(first, mode="grandchildren")
    await first.supervisor.close()
    pids = json.loads((first.folder(session_id) / "pids.json").read_text())
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait()

    second = await reborn(first)

    assert second.supervisor.status().state == "interrupted"
    assert find_marked(second.store.mark(session_id)) is None, pids
    await second.supervisor.close()


async def test_a_recycled_or_poisoned_pid_is_never_signalled(first: World) -> None:
    """T24, F20: the record names processes that are not the run; all of them live on."""
    session_id = await first.start(steps=1)
    await first.until_end()
    await first.supervisor.close()
    stranger = psutil.Popen(["sleep", "60"])
    try:
        for pid in (0, 1, -1, os.getpid(), os.getpgrp(), stranger.pid):
            rewrite(first, session_id, pid=pid, process_started=12.0, state="running",
                    training_state="running")  # fmt: skip
            second = await reborn(first)
            assert second.supervisor.active_session is None
            assert second.supervisor.status().state == "completed"
            assert (await second.supervisor.stop(save=False)).status == "idle"
            await second.supervisor.close()
        assert stranger.is_running()
    finally:
        stranger.kill()
        stranger.wait()


async def test_true_is_not_a_pid() -> None:
    from backend.core.process import alive
    from backend.core.process import signal as send

    assert not alive(Identity(True, 0.0))
    assert not send(Identity(True, 0.0), signal.SIGTERM)


async def test_the_latest_session_is_shown_after_a_restart(first: World) -> None:
    session_id = await first.start(steps=3)
    await first.until_end()

    second = await reborn(first)

    snapshot = second.supervisor.snapshot()
    assert (snapshot.session_id, snapshot.state) == (session_id, "completed")
    assert snapshot.series.train["step"] == [1, 2, 3]
    assert snapshot.metrics.train_loss is not None
    assert snapshot.config == {
        "model_path": "/models/tiny", "adapter_name": "adapter", "iterations": 20
    }  # fmt: skip
    await second.supervisor.close()


async def test_poisoned_records_do_not_keep_the_server_from_starting(first: World) -> None:
    """F8."""
    session_id = await first.start(steps=1)
    await first.until_end()
    sessions = first.settings.sessions_dir
    for name, content in {
        "a": b"", "b": b"{", "c": b"[1, 2]", "d": b'{"training_state": "running"}',
        "e": b'{"training_state": 7, "pid": "x"}', "f": b"\xff\xfe",
        "g": b'{"training_state": "running", "metrics": NaN, "pid": 1e999, "config": [1]}',
        "h": b'{"timestamp": "\\ud800"}', "i": b"[" * 100_000,
    }.items():  # fmt: skip
        (sessions / f"session_{name}.json").write_bytes(content)
    (sessions / "latest.json").write_text('{"latest_session_id": "../../etc/passwd"}')

    second = await reborn(first)

    rows = second.store.page(100, None).sessions
    assert {row.session_id for row in rows} == {session_id, *"abcdefghi"}
    assert next(row for row in rows if row.session_id == session_id).problem is None
    assert sum(1 for row in rows if row.problem) == 7
    await second.start(steps=1, name="next")
    await second.until_end()
    await second.supervisor.close()


async def test_a_record_with_an_absurd_number_of_steps_is_shown_without_it(first: World) -> None:
    """Its events have a speed, by which the time left was once worked out."""
    session_id = await first.start(steps=3)
    await first.until_end()
    await first.supervisor.close()
    metrics = first.record(session_id)["metrics"] | {"total_steps": int("9" * 400)}
    for state in ("starting", "completed"):
        rewrite(first, session_id, metrics=metrics, state=state, training_state=state)

        second = World(first.settings)
        await second.supervisor.open()

        status = second.supervisor.status()
        assert (status.state, status.session_id) == ("completed", session_id)
        assert status.metrics.total_steps is None
        assert [row.session_id for row in second.store.page(10, None).sessions] == [session_id]
        await second.supervisor.close()


async def test_a_session_that_breaks_the_reader_does_not_keep_the_server_from_starting(
    first: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await first.start(steps=1)
    await first.until_end()
    await first.supervisor.close()
    rewrite(first, session_id, state="running", training_state="running")

    def broken(*_: Any) -> None:
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr(recovery, "reopen", broken)
    second = World(first.settings)
    await second.supervisor.open()

    assert second.supervisor.status().state == "idle"
    monkeypatch.undo()
    await second.start(steps=1, name="next")
    await second.until_end()
    await second.supervisor.close()
