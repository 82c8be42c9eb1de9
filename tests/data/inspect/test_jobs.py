from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.hub import Hub, Listener
from backend.data.inspect import jobs
from backend.data.inspect.jobs import InspectionJobs
from backend.data.schemas import DatasetInspection, InspectRequest
from backend.errors import BadContent, NotFound

FOUND = DatasetInspection(
    path="a", format="text", columns=[], rows=1, size_bytes=1, sample=[], problems=[],
    problem_count=0,
)  # fmt: skip


class SlowDoctor:
    """Reports a half, and goes on when it is let."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.began = asyncio.Event()
        self.problem: Exception | None = None

    async def inspect(self, _request: Any, _model: Any, *, patient: bool, report: Any) -> Any:
        assert patient
        self.began.set()
        report("reading", 0.5)
        await self.go_on.wait()
        if self.problem:
            raise self.problem
        return FOUND


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 0.01)


def said(listener: Listener) -> list[tuple[str, str]]:
    frames = [json.loads(sent.text) for sent in listener._queue]
    return [(frame["type"], frame["data"]["phase"]) for frame in frames]


def of(doctor: SlowDoctor) -> tuple[InspectionJobs, Listener]:
    hub = Hub()
    listener = hub.listen()
    assert listener is not None
    return InspectionJobs(doctor, hub), listener  # type: ignore[arg-type]


async def test_a_short_one_is_answered_with_its_result() -> None:
    doctor = SlowDoctor()
    doctor.go_on.set()
    all_jobs, _ = of(doctor)

    job = await all_jobs.start(InspectRequest(path="a"), None)

    assert (job.state, job.result) == ("completed", FOUND)


async def test_a_long_one_is_told_of_as_it_goes_and_asked_for_in_the_end() -> None:
    doctor = SlowDoctor()
    all_jobs, listener = of(doctor)

    job = await all_jobs.start(InspectRequest(path="a"), None)
    assert (job.state, job.phase, job.progress, job.result) == ("running", "reading", 0.5, None)
    doctor.go_on.set()
    await all_jobs._tasks.settled()

    assert all_jobs.find(job.job_id).result == FOUND
    assert said(listener) == [("job_progress", "reading"), ("job_completed", "done")]


def a_file(folder: Path, name: str, size: int) -> InspectRequest:
    (folder / name).write_bytes(b" " * size)
    return InspectRequest(path=str(folder / name))


async def test_a_small_one_does_not_wait_for_a_large_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jobs, "SMALL", 10)
    all_jobs, _ = of(SlowDoctor())

    large = await all_jobs.start(a_file(tmp_path, "large", 11), None)
    next_large = await all_jobs.start(a_file(tmp_path, "next", 12), None)
    small = await all_jobs.start(a_file(tmp_path, "small", 10), None)

    assert [each.state for each in (large, next_large, small)] == ["running", "waiting", "running"]
    await all_jobs.close()


async def test_a_cancelled_one_ends_and_the_next_has_its_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jobs, "SMALL", 0)
    doctor = SlowDoctor()
    all_jobs, listener = of(doctor)
    first = await all_jobs.start(a_file(tmp_path, "a", 1), None)
    second = await all_jobs.start(a_file(tmp_path, "b", 1), None)
    assert second.state == "waiting"

    await all_jobs.cancel(first.job_id)
    doctor.go_on.set()
    await all_jobs._tasks.settled()

    assert (first.state, second.state) == ("cancelled", "completed")
    assert ("job_error", "cancelled") in said(listener)
    assert (await all_jobs.cancel(first.job_id)).state == "cancelled"


@pytest.mark.parametrize(
    ("problem", "says"),
    [(BadContent("It is no file."), "It is no file."), (RuntimeError("oops"), "its log")],
)
async def test_a_failure_is_told(problem: Exception, says: str) -> None:
    doctor = SlowDoctor()
    doctor.problem = problem
    doctor.go_on.set()
    all_jobs, listener = of(doctor)

    job = await all_jobs.start(InspectRequest(path="a"), None)

    assert job.state == "error"
    assert says in (job.error or "")
    assert said(listener)[-1] == ("job_error", "failed")


async def test_closing_ends_what_runs() -> None:
    all_jobs, _ = of(SlowDoctor())
    job = await all_jobs.start(InspectRequest(path="a"), None)

    await all_jobs.close()

    assert job.state == "cancelled"
    with pytest.raises(NotFound):
        all_jobs.find("nothing")
