"""Each way in which a run can end or misbehave, and what the world hears of it."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.core.disk.files import JsonlTail, TextTail
from backend.jobs import recorder, recovery
from backend.jobs.live_run import LiveRun
from backend.jobs.run.events import Event
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from tests.jobs.world import World

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


async def test_a_run_whose_folder_is_deleted_ends_with_that_cause(world: World) -> None:
    session_id = await world.start(mode="endless")
    await world.until_state("running")
    folder = world.folder(session_id)
    folder.rename(folder.with_name("taken away"))  # At once; rmtree could meet a new file.

    last = await world.until_end()

    assert last["type"] == "training_error"
    assert str(folder) in last["data"]["error"]
    assert "was deleted while it ran" in last["data"]["error"]
    assert last["data"]["hint"]
    assert world.record(session_id)["state"] == "error"


async def test_a_traceback_comes_with_the_error(world: World) -> None:
    await world.start(mode="crash")
    last = await world.until_end()
    assert any("Traceback" in line for line in last["data"]["log_tail"])


async def test_numbers_that_are_not_finite_are_null_with_one_alert(world: World) -> None:
    """F26: the last good loss is not shown for ever."""
    session_id = await world.start(mode="nan")
    last = await world.until_end()

    assert last["data"]["final_metrics"]["train_loss"] is None
    alerts = [f["data"] for f in world.frames if f["type"] == "training_alert"]
    assert [alert["code"] for alert in alerts] == ["loss_not_finite"]
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
    assert "The disk is full" in alert["data"]["message"]
    assert world.record(session_id) == before
    await world.supervisor.resume()
    await world.supervisor.stop(save=True)
    assert (await world.until_end())["type"] == "training_stopped"
    assert world.record(session_id)["state"] == "stopped"


async def test_a_run_that_ends_on_a_full_disk_has_ended_for_everybody_and_is_saved_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "REPEAT_EVERY", 0.02)
    session_id = await world.start(mode="endless")
    await world.until_state("running")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        await world.supervisor.stop(save=True)
        assert (await world.until_end())["type"] == "training_stopped"
        assert world.record(session_id)["state"] != "stopped", "the disk has no room for it"
        (row,) = world.store.summaries()
        assert row.training_state == "stopped"
        assert world.store.read(session_id)["state"] == "stopped"
        assert world.store.record(session_id).state == "stopped", "which is what resume asks"
        await world.supervisor.load(session_id)
        assert world.supervisor.status().state == "stopped"
        await world.supervisor.refuse(queued(world), "It could not start.", None)
        await world.until_end()
        assert [row.training_state for row in world.store.summaries()] == ["error", "stopped"]

    saved = await world.until(lambda frame: frame["data"].get("code") == "record_saved")
    assert saved["data"]["level"] == "info"
    record = world.record(session_id)
    assert (record["state"], record["exit"]["state"]) == ("stopped", "stopped")
    assert world.record("queued")["state"] == "error"


async def test_an_unsaved_session_that_is_deleted_is_not_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await world.start(mode="endless")
    await world.until_state("running")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        await world.supervisor.stop(save=True)
        await world.until_end()
        await world.supervisor.delete(session_id, files=True)

    assert world.store.save_pending()
    assert world.store.summaries() == []
    assert not list(world.settings.sessions_dir.glob(f"*{session_id}*"))


async def test_a_record_left_at_work_is_not_loaded_as_a_run_that_lives(world: World) -> None:
    session_id = await world.start(steps=2)
    await world.until_end()
    record = world.store.record(session_id)
    record.state = record.training_state = RunState.RUNNING
    world.store.save(record)

    await world.supervisor.load(session_id)

    assert world.supervisor.status().state == "completed", "as its events tell"


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def queued(world: World) -> SessionRecord:
    now = datetime.now(UTC)
    return SessionRecord(
        session_id="queued", timestamp=now, training_state=RunState.STARTING,
        state=RunState.STARTING, config={}, metrics={}, created_at=now,
    )  # fmt: skip


async def test_a_moment_without_free_file_handles_costs_no_point_and_no_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F35: the log can't be opened after the events were read, and then nothing can."""
    passing = [OSError(errno.EMFILE, "Too many open files")] * 3
    read_log, read_events = TextTail.read, JsonlTail.read

    def log(tail: TextTail) -> list[str]:
        if passing:
            raise passing.pop()
        return read_log(tail)

    def events(tail: JsonlTail) -> list[Any]:
        if len(passing) == 1:
            raise passing.pop()
        return read_events(tail)

    monkeypatch.setattr(TextTail, "read", log)
    monkeypatch.setattr(JsonlTail, "read", events)
    await world.start(steps=12)

    assert (await world.until_end())["type"] == "training_completed"
    snapshot = world.supervisor.snapshot()
    assert snapshot.series.train["step"] == list(range(1, 13))
    assert [line for line in snapshot.logs if line.startswith("Iter 1:")]


async def test_a_run_whose_folder_can_never_be_read_again_still_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.jobs.lifecycle.follower.MOST_FAILURES", 2)

    def broken(_: TextTail) -> list[str]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(TextTail, "read", broken)
    session_id = await world.start(mode="fast")

    assert (await world.until_end())["type"] == "training_error"
    assert world.record(session_id)["state"] == "error"
    assert world.supervisor.active_session is None


async def test_an_event_that_trips_the_server_does_not_cost_the_ones_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = LiveRun.frames_for

    def trips(run: LiveRun, event: Event) -> list[tuple[str, Any]]:
        if event.type == "validation":
            raise RuntimeError("a bug")
        return told(run, event)

    monkeypatch.setattr(LiveRun, "frames_for", trips)
    await world.start(mode="fast", steps=5)

    last = await world.until_end()
    assert last["type"] == "training_completed"
    points = [f["data"]["point"] for f in world.frames if f["data"].get("point")]
    assert [point["values"]["step"] for point in points] == [1, 2, 3, 4, 5]


async def test_what_a_run_had_to_tell_stays_with_its_record(world: World) -> None:
    session_id = await world.start(mode="nan")
    await world.until_end()

    told = [f["data"]["code"] for f in world.frames if f["type"] == "training_alert"]
    record = world.store.record(session_id)
    assert [alert.code for alert in record.alerts] == told == ["loss_not_finite"]
    assert record.health == world.supervisor.snapshot().health == "act"
    assert world.store.alerts(record) == record.alerts


@pytest.mark.parametrize(
    ("code", "lines", "killed"),
    [
        (-9, [], True),
        (-15, [], True),
        (137, [], True),
        (None, [], True),
        (-6, ["[METAL] Command buffer execution failed: Impacting Interactivity"], True),
        (-9, ["[METAL] kIOGPUCommandBufferCallbackErrorOutOfMemory"], False),
        (-11, [], False),
        (1, ["ValueError: no"], False),
    ],
)
def test_only_an_end_from_outside_counts_as_killed(
    world: World, code: int | None, lines: list[str], killed: bool
) -> None:
    run = LiveRun(queued(world), lines)

    assert recovery.was_killed(run, code) is killed
