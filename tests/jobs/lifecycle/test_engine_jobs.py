"""A job of any kind, as a process of the scripted engine: its whole life."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from backend.contract.record import read_record
from backend.contract.run.folder import EVENTS
from backend.core.hub import Hub, Listener
from backend.core.process import MARK
from backend.errors import EngineMissing, JobActive, WrongState
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind
from backend.jobs.lifecycle.slot import Slot
from backend.settings import Settings
from tests.fakes.python import fake_python


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    name: str
    staging: str = ""


KIND = JobKind(
    name="fusion",
    engine="fusion",
    folder="jobs/fusion",
    log="fusion.log",
    subject="A fusion of {title}",
    reason="its model needs the memory",
    place="under Fusion",
    stop_route="/api/fusion/stop",
    list_route="/api/fusion/list",
    stopped="The fusion was stopped; nothing was saved.",
    read=partial(read_record, Order),
    title=lambda order: order.name,
    staging=lambda order: order.staging,
    staging_name=r"\.making-.+",
    grace=0.3,
)


class Bench:
    """The jobs of one kind on a data root, and what the world hears of them."""

    def __init__(self, settings: Settings, mode: str) -> None:
        engines = settings.data_dir.parent / f"engine {mode}"
        engines.mkdir(exist_ok=True)
        engine = fake_python(engines, mode=mode, adapter_path=str(engines / "adapter"))
        self.settings = replace(settings, python=engine)
        self.slot = Slot()
        self.hub = Hub()
        listener = self.hub.listen()
        assert listener is not None
        self.listener: Listener = listener
        self.rooms = 0
        self.jobs = self.server()

    def server(self) -> EngineJobs[Order]:
        return EngineJobs(
            KIND,
            self.settings,
            self.hub,
            slot=self.slot,
            make_room=self.make_room,
            results=self.settings.adapters_dir,
        )

    async def make_room(self) -> None:
        self.rooms += 1

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(sent.text) for sent in self.listener._queue]


@pytest_asyncio.fixture
async def bench(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    made = Bench(settings, getattr(request, "param", "silent"))
    yield made
    await made.jobs.stop()
    await made.jobs.close()
    root = str(settings.data_dir.resolve())
    for process in psutil.process_iter():
        try:
            if root in process.environ().get(MARK, ""):
                process.kill()
        except psutil.Error:
            continue


@pytest.mark.parametrize("bench", ["fast"], indirect=True)
async def test_a_job_runs_to_its_end_and_the_world_hears_of_it(bench: Bench) -> None:
    job = await bench.jobs.start({"name": "a and b"})
    await bench.jobs.ended(job.folder)

    assert (job.state, job.phase, job.share, job.message) == ("completed", "done", 1.0, "Done.")
    assert bench.rooms == 1
    frames = bench.heard()
    assert [frame["type"] for frame in frames if frame["type"] != "job_progress"] == [
        "job_completed"
    ]
    last = frames[-1]["data"]
    assert last == {
        "kind": "fusion", "job_id": job.folder.id, "state": "completed", "phase": "done",
        "progress": 1.0, "error": None, "hint": None, "message": "Done.",
    }  # fmt: skip
    listed, damaged = bench.jobs.listed()
    assert [each.folder.id for each in listed] == [job.folder.id]
    assert damaged == []


@pytest.mark.parametrize("bench", ["fast"], indirect=True)
async def test_a_job_that_is_told_to_have_ended_does_not_refuse_the_next_one(
    bench: Bench,
) -> None:
    for name in ("first", "second", "third"):
        job = await bench.jobs.start({"name": name})
        async with asyncio.timeout(15):
            while job.running:  # noqa: ASYNC110 - polled as a script does
                await asyncio.sleep(0.005)
        assert job.state == "completed"
        bench.slot.require_free()


async def test_a_job_has_the_memory_until_it_has_ended(bench: Bench) -> None:
    job = await bench.jobs.start({"name": "a and b"})

    with pytest.raises(JobActive, match="A fusion of a and b is running, and its model") as run:
        bench.slot.require_free()
    assert "under Fusion" in (run.value.hint or "")
    with pytest.raises(JobActive, match="A fusion of a and b is running") as second:
        await bench.jobs.start({"name": "c"})
    assert "POST /api/fusion/stop" in (second.value.hint or "")

    stopped = await bench.jobs.stop()
    assert stopped is job
    assert job.state == "stopped"
    bench.slot.require_free()
    assert bench.heard()[-1]["type"] == "job_error"
    assert await bench.jobs.stop() is None


async def test_a_job_is_refused_while_a_run_has_the_slot(bench: Bench) -> None:
    bench.slot.take("20260101_000000_abcdef", name="support")

    with pytest.raises(WrongState, match=r"A run is active \(support\)"):
        await bench.jobs.start({"name": "a"})

    assert not (bench.settings.data_dir / "jobs").exists()


@pytest.mark.parametrize("bench", ["ignore-term"], indirect=True)
async def test_one_that_does_not_hear_is_killed_after_its_grace(bench: Bench) -> None:
    job = await bench.jobs.start({"name": "a"})
    child = job.child
    assert child is not None
    async with asyncio.timeout(15):
        while job.phase != "evaluating":  # noqa: ASYNC110 - until it listens to nobody
            await asyncio.sleep(0.005)

    await bench.jobs.stop()

    assert not child.alive()
    assert (job.state, job.message) == ("stopped", "The fusion was stopped; nothing was saved.")


async def test_a_server_that_starts_follows_a_living_job(bench: Bench) -> None:
    first = await bench.jobs.start({"name": "a"})
    await bench.jobs.close()
    bench.slot.holders.clear()

    bench.jobs = bench.server()
    await bench.jobs.open()

    assert bench.jobs.active == "a"
    stopped = await bench.jobs.stop()
    assert stopped is not None
    assert (stopped.folder, stopped.state) == (first.folder, "stopped")


async def test_a_server_that_starts_explains_a_dead_job(bench: Bench) -> None:
    first = await bench.jobs.start({"name": "a"})
    await bench.jobs.close()
    bench.slot.holders.clear()
    assert first.child is not None
    first.child.kill()

    bench.jobs = bench.server()
    await bench.jobs.open()

    job = bench.jobs.current
    assert job is not None
    assert job.state == "interrupted"
    assert "ended without a word" in (job.error or "")
    assert bench.jobs.active is None


async def test_a_killed_process_is_an_error_with_its_reason(bench: Bench) -> None:
    job = await bench.jobs.start({"name": "a"})
    assert job.child is not None
    job.child.kill()
    await bench.jobs.ended(job.folder)

    assert job.state == "error"
    assert job.error
    bench.slot.require_free()


async def test_an_engine_that_is_not_there_leaves_nothing_behind(
    settings: Settings, tmp_path: Path
) -> None:
    bench = Bench(settings, "silent")
    bench.settings = replace(bench.settings, python=tmp_path / "no python")
    jobs = bench.server()

    with pytest.raises(EngineMissing):
        await jobs.start({"name": "a"})

    assert jobs.listed() == ([], [])
    assert jobs.active is None
    assert not list((settings.data_dir / "jobs" / "fusion").iterdir())


async def test_a_damaged_folder_is_named_and_the_others_are_listed(bench: Bench) -> None:
    good = await bench.jobs.start({"name": "a"})
    await bench.jobs.stop()
    bad = bench.jobs.folders.make({"name": 7}, lambda _: None)
    (bad.path / EVENTS).write_text("no JSON\n", encoding="utf-8")

    listed, damaged = bench.jobs.listed()

    assert [job.folder for job in listed] == [good.folder]
    assert [item.name for item in damaged] == [bad.id]
    assert "name" in damaged[0].problem


async def test_the_last_job_is_forgotten_only_when_it_has_ended(bench: Bench) -> None:
    await bench.jobs.start({"name": "a"})
    with pytest.raises(JobActive):
        bench.jobs.forget()
    await bench.jobs.stop()

    bench.jobs.forget()

    assert bench.jobs.current is None


@pytest.mark.parametrize(
    ("place", "goes"),
    [("adapters/.making-1", True), ("adapters/mine", False), ("elsewhere/.making-1", False)],
)
async def test_only_what_was_staged_among_the_results_is_removed(
    bench: Bench, place: str, goes: bool
) -> None:
    staged = bench.settings.data_dir / place
    staged.mkdir(parents=True)
    (staged / "half of it").write_bytes(b"x")
    job = await bench.jobs.start({"name": "a", "staging": str(staged)})
    assert job.child is not None
    job.child.kill()
    await bench.jobs.ended(job.folder)

    assert staged.exists() is not goes
    assert job.state == "error"


async def test_a_server_that_starts_removes_what_a_dead_job_staged(bench: Bench) -> None:
    staged = bench.settings.adapters_dir / ".making-1"
    staged.mkdir(parents=True)
    job = await bench.jobs.start({"name": "a", "staging": str(staged)})
    await bench.jobs.close()
    bench.slot.holders.clear()
    assert job.child is not None
    job.child.kill()

    bench.jobs = bench.server()
    await bench.jobs.open()

    assert not staged.exists()
