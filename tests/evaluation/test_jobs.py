"""Evaluations as processes of the scripted engine, beside runs and questions."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from backend.contract.jobs.evaluation import EvaluationRequest, EvaluationTarget
from backend.contract.run.folder import EVENTS
from backend.contract.sampling import untruncated
from backend.core.disk.files import JsonlTail
from backend.errors import EvaluationActive, WrongState
from backend.evaluation.jobs import Evaluations
from backend.evaluation.rows import ChosenRows
from backend.jobs.lifecycle import engine_process, folder
from backend.jobs.lifecycle.folder import JobFolder
from backend.settings import Settings
from tests.fakes.python import fake_python
from tests.jobs.conftest import end_runs_under
from tests.jobs.test_queue import Line

ASKED = EvaluationRequest(
    adapter_name="tall",
    model="/models/small",
    targets=(EvaluationTarget(label="tall"),),
    metrics=("loss",),
    sampling=untruncated(16),
    training_data_path="/rows.jsonl",
    num_questions=4,
    rows_available=4,
)


class Bench:
    """A line of runs and the evaluations that share the memory with them."""

    def __init__(self, settings: Settings) -> None:
        self.line = Line(settings)
        self.supervisor = self.line.world.supervisor
        self.folder = settings.data_dir
        self.jobs = Evaluations(
            settings, self.line.world.hub, slot=self.supervisor.slot, make_room=self.make_room
        )
        self.rows = ChosenRows(
            path=settings.data_dir / "rows.jsonl", rows=(), available=0, skipped=0, compared=False
        )

    async def make_room(self) -> None:
        """There is no worker here."""

    async def evaluate(self) -> JobFolder:
        return await self.jobs.evaluate(ASKED, self.rows)


@pytest_asyncio.fixture
async def bench(settings: Settings, tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "evaluating"
    folder.mkdir()
    engine = fake_python(folder, mode="silent", adapter_path=str(folder / "adapter"))
    made = Bench(replace(settings, python=engine))
    await made.line.open()
    yield made
    await made.jobs.stop()
    await made.jobs.close()
    await made.line.close()
    end_runs_under(settings.sessions_dir)


async def test_a_run_is_refused_while_an_evaluation_has_the_memory(bench: Bench) -> None:
    await bench.evaluate()

    with pytest.raises(EvaluationActive, match="evaluation of tall is running") as refused:
        await bench.line.world.start(mode="fast")
    assert "queue" in (refused.value.hint or "")
    assert bench.supervisor.active_session is None

    await bench.jobs.stop()
    session_id = await bench.line.world.start(mode="fast")
    assert await bench.line.ended(session_id) == "completed"


async def test_a_run_that_waits_starts_when_the_evaluation_has_ended(bench: Bench) -> None:
    await bench.evaluate()
    session_id = await bench.line.add("patient")
    await asyncio.sleep(0)  # The dispatcher looks, and goes on waiting.
    assert bench.line.planned == []
    assert bench.line.names() == ["patient"]

    await bench.jobs.stop()

    assert await bench.line.ended(session_id) == "completed"


async def test_a_waiting_run_is_not_lost_to_an_evaluation_that_overtakes_its_check(
    bench: Bench,
) -> None:
    bench.line.gate = asyncio.Event()
    session_id = await bench.line.add("patient")
    await bench.line.checking(session_id)
    await bench.evaluate()
    bench.line.gate.set()
    await bench.jobs.stop()

    assert await bench.line.ended(session_id) == "completed"


async def test_an_evaluation_is_refused_while_a_run_or_another_one_is_active(
    bench: Bench,
) -> None:
    await bench.evaluate()
    with pytest.raises(EvaluationActive, match="evaluation of tall"):
        await bench.evaluate()
    await bench.jobs.stop()

    await bench.line.world.start(mode="endless", name="support")
    with pytest.raises(WrongState, match=r"A run is active \(support\)"):
        await bench.evaluate()


async def test_a_moment_without_free_file_handles_does_not_end_the_following(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = [OSError(errno.EMFILE, "Too many open files")] * 2
    read = JsonlTail.read

    def blind(tail: JsonlTail) -> list[Any]:
        if passing:
            raise passing.pop()
        found = read(tail)
        return [["no event"], *found] if found else []

    await bench.evaluate()
    monkeypatch.setattr(JsonlTail, "read", blind)
    async with asyncio.timeout(15):
        await bench.jobs.stop()

    assert passing == []
    assert bench.jobs.status().state == "stopped"


async def test_who_waits_for_one_hears_of_that_one_though_another_has_begun(bench: Bench) -> None:
    first = await bench.evaluate()
    waiting = asyncio.create_task(bench.jobs.ended(first))
    await asyncio.sleep(0)  # It waits.
    await bench.jobs.stop()
    second = await bench.evaluate()

    status = await waiting
    assert (status.folder, status.state) == (first, "stopped")
    assert (await bench.jobs.ended(first)).folder == first
    assert bench.jobs.status().evaluation_id == second.id


@pytest.mark.parametrize(("module", "name"), [(folder, "write_json"), (engine_process, "spawn")])
async def test_an_evaluation_that_finds_no_space_leaves_nothing_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, full)
        with pytest.raises(OSError, match="No space left"):
            await bench.evaluate()

    assert bench.jobs.list().evaluations == []
    assert bench.jobs.active is None
    assert not list((bench.folder / "evaluations").iterdir())


async def test_what_is_told_to_have_ended_does_not_refuse_the_next_one(bench: Bench) -> None:
    job_folder = await bench.evaluate()
    said = {
        "seq": 1, "at": "2026-12-01T00:00:00+00:00", "type": "exit", "state": "completed",
        "code": 0, "message": "Done.",
    }  # fmt: skip
    with (job_folder.path / EVENTS).open("a", encoding="utf-8") as events:
        events.write(json.dumps(said) + "\n")

    job = bench.jobs.current
    assert job is not None
    while job.last_word is None:  # noqa: ASYNC110 - polled as a script does. MLX leaves slowly.
        await asyncio.sleep(0.005)
    assert bench.jobs.status().running
    assert job.child is not None
    job.child.kill()
    while bench.jobs.status().running:  # noqa: ASYNC110 - as a script polls
        await asyncio.sleep(0.005)

    assert bench.jobs.status().state == "completed"
    bench.jobs.require_free()
    await bench.evaluate()
