"""A run that was killed from outside goes on by itself as often as it asked for, and no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.core.hub import Hub
from backend.jobs.queue import RunQueue, WaitingRun
from backend.jobs.run.schemas import RunMetrics, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.training.auto_continue import AutoContinue

SESSION = "0c6ae53e-6a3c-4f27-9d5b-0d2f0f7a9c11"


class House:
    def __init__(self, root: Path) -> None:
        (root / "sessions").mkdir()
        self.store = SessionStore(root / "sessions", root / "adapters")
        self.queue = RunQueue(root / "sessions", Hub())
        self.go_on = AutoContinue(self.queue, self.store)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def record(**config: Any) -> SessionRecord:
    asked = {
        "model_path": "/models/tiny", "train_data_path": "/rows.jsonl", "adapter_name": "night",
        "iterations": 40,
    }  # fmt: skip
    now = datetime.now(UTC)
    return SessionRecord(
        session_id=SESSION, timestamp=now, training_state=RunState.RUNNING, state=RunState.RUNNING,
        method="sft", config=asked | config, created_at=now,
        metrics=RunMetrics(total_steps=40).model_dump(mode="json"),
    )  # fmt: skip


async def test_a_run_that_did_not_ask_for_it_ends(house: House) -> None:
    assert await house.go_on(record()) == ""
    assert await house.go_on(record(auto_continue=0)) == ""
    assert house.queue.all() == []


async def test_it_goes_before_all_that_waits_with_one_time_less(house: House) -> None:
    other = WaitingRun(
        session_id="other", adapter_name="other", model_name="tiny", method="sft",
        total_steps=1, queued_at=datetime.now(UTC), request={},
    )  # fmt: skip
    await house.queue.add(other)

    told = await house.go_on(record(auto_continue=3))

    first, second = house.queue.all()
    assert second is other
    assert first.request["auto_continue"] == 2
    assert first.adapter_name == "night"
    assert first.total_steps == 40
    assert "from the beginning, as nothing was saved yet" in told
    assert "2 more times" in told


async def test_after_the_last_time_the_end_says_why(house: House) -> None:
    told = await house.go_on(record(auto_continue=0, resume_from="the-first"))

    assert told == " It has gone on by itself as often as it may."
    assert house.queue.all() == []


async def test_one_that_can_not_go_on_says_so(house: House) -> None:
    told = await house.go_on(record(auto_continue=1, lora_rank="many"))

    assert "can’t go on by itself" in told and "lora_rank" in told
    assert house.queue.all() == []
