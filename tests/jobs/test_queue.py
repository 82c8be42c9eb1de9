"""Waiting runs with the scripted engine: order, restart, failure, removal, and races."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.core.disk.notices import Notices
from backend.core.news import News
from backend.errors import AlreadyExists, NoDiskSpace, NotFound, WrongState
from backend.jobs import queue as queue_module
from backend.jobs.adapter_reservation import MARK
from backend.jobs.queue import WaitingRun
from backend.jobs.queue_dispatcher import Dispatcher
from backend.jobs.run.recipe import Recipe
from backend.settings import Settings
from tests.jobs.conftest import end_runs_under
from tests.jobs.world import World, make_recipe


class Line:
    """A world whose queue is served; a waiting run's request is the fake engine's part."""

    def __init__(self, settings: Settings) -> None:
        self.world = World(settings)
        self.queue = self.world.queue
        self.dispatcher = Dispatcher(self.queue, self.world.supervisor, self.world.store, self.plan)
        self.planned: list[str] = []
        self.gate: asyncio.Event | None = None
        self.news = News()

    async def open(self) -> None:
        await self.world.supervisor.open()
        await self.dispatcher.open()

    async def close(self) -> None:
        await self.dispatcher.close()
        await self.world.supervisor.stop(save=False)
        await self.world.supervisor.close()

    async def plan(self, run: WaitingRun) -> Recipe:
        self.planned.append(run.session_id)
        self.news.tell()
        if self.gate is not None:
            await self.gate.wait()
        if run.request.get("gone"):
            raise NotFound("There is no file rows.jsonl.", hint="Choose another.")
        return make_recipe(
            self.world.settings,
            name=run.adapter_name,
            overwrite=run.overwrite,
            session_id=run.session_id,
            **run.request,
        )

    async def add(self, name: str, *, overwrite: bool = False, **request: Any) -> str:
        run = waiting(name, overwrite=overwrite, **request)
        await self.queue.add(run)
        return run.session_id

    async def ended(self, session_id: str) -> str:
        """Wait for the end of that run; its state."""
        frame = await self.world.until(
            lambda f: f["session_id"] == session_id and f["type"] in ENDS
        )
        return ENDS[frame["type"]]

    async def checking(self, session_id: str) -> None:
        """Wait until that run is being checked."""
        await self.news.until(lambda: self.planned[-1:] == [session_id], limit=15)
        assert self.planned[-1:] == [session_id]

    def names(self) -> list[str]:
        return [run.adapter_name for run in self.queue.shown()]

    def on_disk(self) -> list[str]:
        value = json.loads((self.world.settings.sessions_dir / "queue.json").read_text())
        return [run["adapter_name"] for run in value["queue"]]


ENDS = {
    "training_completed": "completed",
    "training_stopped": "stopped",
    "training_error": "error",
}


def waiting(name: str, *, overwrite: bool = False, **request: Any) -> WaitingRun:
    return WaitingRun(
        session_id=f"id-{name}",
        adapter_name=name,
        model_name="tiny",
        method="sft",
        total_steps=20,
        queued_at=datetime.now(UTC),
        request={"mode": "fast", **request},
        overwrite=overwrite,
    )


@pytest_asyncio.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    made = Line(settings)
    await made.open()
    yield made
    await made.close()
    end_runs_under(settings.sessions_dir)


async def busy(line: Line) -> str:
    session_id = await line.world.start(mode="endless")
    await line.world.until_state("running")
    return session_id


async def until_shown(line: Line, names: list[str]) -> None:
    await line.world.until(
        lambda f: (
            f["type"] == "queue_changed"
            and [run["adapter_name"] for run in f["data"]["queue"]] == names
        )
    )


async def test_waiting_runs_start_one_after_the_other_in_order(line: Line) -> None:
    first = await busy(line)
    second, third = await line.add("b"), await line.add("c")
    assert line.names() == line.on_disk() == ["b", "c"]
    assert [run.session_id for run in line.world.supervisor.status().queue] == [second, third]

    await line.world.supervisor.stop(save=True)

    for session_id, state in ((first, "stopped"), (second, "completed"), (third, "completed")):
        assert await line.ended(session_id) == state
        assert line.world.record(session_id)["state"] == state
    assert line.names() == line.on_disk() == []


async def test_a_run_that_is_added_while_nothing_runs_starts_at_once(line: Line) -> None:
    assert await line.ended(await line.add("a")) == "completed"


async def test_a_run_that_crashes_does_not_cost_the_next_one(line: Line) -> None:
    first = await line.add("a", mode="crash")
    second = await line.add("b")

    assert await line.ended(first) == "error"
    assert await line.ended(second) == "completed"


async def test_a_run_that_cannot_start_any_more_ends_in_error_and_the_next_is_tried(
    line: Line,
) -> None:
    live = await busy(line)
    gone, fine = await line.add("gone", gone=True), await line.add("fine")
    await line.world.supervisor.stop(save=False)

    assert [await line.ended(each) for each in (live, gone, fine)] == [
        "stopped", "error", "completed",
    ]  # fmt: skip
    record = line.world.record(gone)
    assert record["state"] == "error"
    assert "There is no file rows.jsonl." in record["exit"]["message"]
    assert record["exit"]["hint"] == "Choose another."
    assert line.world.record(fine)["state"] == "completed"
    assert not line.world.folder(gone).exists()


async def test_a_refused_run_touches_no_adapter_of_its_name(line: Line) -> None:
    adapter = line.world.settings.adapters_dir / "mine"
    adapter.mkdir(parents=True)
    (adapter / "notes.txt").write_text("kept", encoding="utf-8")

    assert await line.ended(await line.add("mine")) == "error"
    assert (adapter / "notes.txt").read_text(encoding="utf-8") == "kept"
    assert "already an adapter" in line.world.record("id-mine")["exit"]["message"]


async def test_the_order_is_changed_and_a_place_beyond_the_end_is_the_last(line: Line) -> None:
    await busy(line)
    for name in ("a", "b", "c"):
        await line.add(name)

    await line.queue.move("id-c", 1)
    assert line.names() == line.on_disk() == ["c", "a", "b"]
    await line.queue.move("id-c", 99)
    assert line.names() == line.on_disk() == ["a", "b", "c"]
    with pytest.raises(NotFound):
        await line.queue.move("id-x", 1)
    await until_shown(line, ["c", "a", "b"])
    await until_shown(line, ["a", "b", "c"])


async def test_a_removed_run_never_starts_and_leaves_nothing(line: Line) -> None:
    await busy(line)
    await line.add("a")
    last = await line.add("b")
    await line.queue.remove("id-a")
    assert line.on_disk() == ["b"]

    await line.world.supervisor.stop(save=False)
    await line.world.until("training_stopped")
    assert await line.ended(last) == "completed"
    assert line.planned == [last]
    assert not (line.world.settings.sessions_dir / "session_id-a.json").exists()


async def test_a_run_that_is_removed_while_it_is_checked_does_not_start(line: Line) -> None:
    line.gate = asyncio.Event()
    first = await line.add("a")
    await line.checking(first)
    await line.queue.remove(first)
    line.gate.set()

    assert await line.ended(await line.add("b")) == "completed"
    assert not line.world.store.exists(first)


async def test_what_is_moved_to_the_front_while_another_is_checked_goes_first(line: Line) -> None:
    line.gate = asyncio.Event()
    first, second = await line.add("a"), await line.add("b")
    await line.checking(first)
    await line.queue.move(second, 1)
    line.gate.set()

    assert await line.ended(second) == "completed"
    assert await line.ended(first) == "completed"
    assert line.planned == [first, second, first]


async def test_a_direct_start_that_is_faster_only_delays_the_queue(line: Line) -> None:
    line.gate = asyncio.Event()
    waiting_id = await line.add("a")
    await line.checking(waiting_id)
    direct = await line.world.start(mode="fast", name="direct")
    line.gate.set()

    assert await line.ended(direct) == "completed"
    assert await line.ended(waiting_id) == "completed"


async def test_of_the_same_adapter_name_only_one_waits_unless_it_overwrites(line: Line) -> None:
    await busy(line)
    outcomes = await asyncio.gather(
        *(line.queue.add(waiting("a")) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 4
    await line.queue.add(waiting("a", overwrite=True))
    assert line.names() == ["a", "a"]


async def test_the_queue_goes_on_after_a_restart_of_the_server(settings: Settings) -> None:
    first = Line(settings)
    await first.open()
    live = await busy(first)
    waited = await first.add("b")
    await first.dispatcher.close()  # As when the server goes: the run lives on.
    await first.world.supervisor.close()

    second = Line(settings)
    await second.open()
    assert second.world.supervisor.active_session == live
    assert second.names() == ["b"]
    await second.world.supervisor.stop(save=False)
    await second.world.until("training_stopped")
    assert await second.ended(waited) == "completed"
    await second.close()
    end_runs_under(settings.sessions_dir)


async def test_a_run_that_had_begun_is_not_started_again_after_a_crash(
    settings: Settings,
) -> None:
    first = Line(settings)
    await first.open()
    session_id = await first.add("a")
    assert await first.ended(session_id) == "completed"
    await first.close()
    # As if the server had been killed before it took the run off the list.
    stored = queue_module._QueueFile(queue=[waiting("a")]).model_dump(mode="json")
    (settings.sessions_dir / "queue.json").write_text(json.dumps(stored), encoding="utf-8")

    second = Line(settings)
    await second.open()
    assert second.names() == second.on_disk() == []
    assert second.planned == []
    await second.close()


async def test_a_start_that_was_cut_off_before_its_record_is_made_anew(settings: Settings) -> None:
    settings.sessions_dir.mkdir(parents=True)
    session_id = str(uuid.uuid4())
    run = waiting("a").model_copy(update={"session_id": session_id})
    stored = queue_module._QueueFile(queue=[run]).model_dump(mode="json")
    (settings.sessions_dir / "queue.json").write_text(json.dumps(stored), encoding="utf-8")
    adapter = settings.adapters_dir / "a"
    adapter.mkdir(parents=True)  # Reserved, nothing in it but the mark.
    (adapter / MARK).write_text(session_id, encoding="utf-8")
    (settings.sessions_dir / session_id / "data").mkdir(parents=True)
    config = json.dumps({"adapter_path": str(adapter)})
    (settings.sessions_dir / session_id / "config.yaml").write_text(config, encoding="utf-8")

    line = Line(settings)
    await line.open()
    assert await line.ended(session_id) == "completed"
    await line.close()
    end_runs_under(settings.sessions_dir)


async def test_a_damaged_queue_is_set_aside_and_keeps_no_server_from_starting(
    settings: Settings,
) -> None:
    settings.sessions_dir.mkdir(parents=True)
    (settings.sessions_dir / "queue.json").write_text('{"queue": [{"se', encoding="utf-8")

    line = Line(settings)
    await line.open()
    assert line.names() == []
    (aside,) = settings.sessions_dir.glob("queue.json.damaged-*")
    assert aside.read_text(encoding="utf-8") == '{"queue": [{"se'
    await line.close()


async def test_a_second_damaged_queue_replaces_no_first(settings: Settings) -> None:
    settings.sessions_dir.mkdir(parents=True)
    for text in ("first", "second"):
        (settings.sessions_dir / "queue.json").write_text(text, encoding="utf-8")
        line = Line(settings)
        await line.open()
        await line.close()

    kept = settings.sessions_dir.glob("queue.json.damaged-*")
    assert {path.read_text(encoding="utf-8") for path in kept} == {"first", "second"}
    told = Notices(settings.data_dir).listed().notices
    assert len(told) == 2 and all("queue them again" in notice.message for notice in told)


async def test_a_held_queue_starts_nothing_until_a_run_is_added(line: Line) -> None:
    await busy(line)
    first = await line.add("a")
    line.queue.hold()
    await line.world.supervisor.stop(save=False)
    await line.world.until("training_stopped")
    assert line.world.supervisor.active_session is None
    assert line.names() == ["a"] and line.planned == []

    second = await line.add("b")
    assert await line.ended(first) == "completed"
    assert await line.ended(second) == "completed"


async def test_a_queue_that_cannot_be_saved_refuses_and_stays_as_it_was(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy(line)
    await line.add("a")

    def full(path: Path, value: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(queue_module, "write_json", full)
    for change in (line.queue.add(waiting("b")), line.queue.remove("id-a")):
        with pytest.raises(NoDiskSpace, match="The disk is full"):
            await change
    assert line.names() == ["a"]


async def test_a_run_that_is_starting_is_neither_moved_nor_removed(line: Line) -> None:
    await busy(line)
    run = waiting("a")
    await line.queue.add(run)
    line.queue.begin(run)

    for change in (line.queue.remove("id-a"), line.queue.move("id-a", 1)):
        with pytest.raises(WrongState, match="starting just now"):
            await change
    assert line.names() == []
    assert line.on_disk() == ["a"]
    await line.queue.drop(run)
