"""A start that waits: checked like any other, kept as it was asked, read again later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from backend.errors import AlreadyExists, BadContent, Invalid, NotFound, RunAlreadyActive
from backend.jobs.run.recipe import Recipe
from backend.training.plan.queued_request import read_waiting
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.training.test_manager import House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house in which another run is active."""

    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 18, starts=(5,) * 18)

    monkeypatch.setattr(TokenCounter, "count", count)
    made = House(tmp_path)
    made.settings.sessions_dir.mkdir(parents=True)  # As the store does when the server opens.
    made.supervisor.busy = True
    return made


async def test_a_queued_start_waits_while_a_run_is_active(house: House) -> None:
    answer = await house.manager.start(house.request(queue=True, epochs=2.0), idempotency_key=None)

    assert (answer.status, house.supervisor.started) == ("queued", [])
    assert answer.message == "It is next: mlx_finetune on tiny: 36 iterations."
    (shown,) = house.queue.shown()
    assert (shown.session_id, shown.model_name) == (answer.session_id, "tiny")
    assert (shown.adapter_name, shown.method, shown.total_steps) == ("mlx_finetune", "sft", 36)
    assert not (house.settings.sessions_dir / answer.session_id).exists()


async def test_a_run_that_an_older_version_queued_with_both_lengths_keeps_its_epochs(
    house: House,
) -> None:
    await house.manager.start(house.request(queue=True, epochs=2.0), idempotency_key=None)
    (waiting,) = house.queue.all()
    older = waiting.model_copy(update={"request": waiting.request | {"iterations": 100}})

    assert (await house.manager.plan_waiting(older)).total_steps == 36


async def test_a_queued_start_with_a_free_slot_starts_at_once(house: House) -> None:
    house.supervisor.busy = False
    answer = await house.manager.start(house.request(queue=True), idempotency_key=None)

    assert answer.status == "started"
    assert house.queue.shown() == []


async def test_a_queued_start_does_not_overtake_those_that_wait(house: House) -> None:
    await house.start(queue=True, adapter_name="a")
    house.supervisor.busy = False
    await house.start(queue=True, adapter_name="b")

    assert [run.adapter_name for run in house.queue.shown()] == ["a", "b"]


async def test_a_queued_start_that_loses_the_race_for_the_slot_waits(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def taken(_: Recipe) -> None:
        raise RunAlreadyActive("A run is already active.")

    house.supervisor.busy = False
    monkeypatch.setattr(house.supervisor, "start", taken)
    answer = await house.manager.start(house.request(queue=True), idempotency_key=None)
    assert answer.status == "queued"

    with pytest.raises(RunAlreadyActive):
        await house.start(adapter_name="b")


async def test_a_start_that_would_be_refused_is_refused_a_place_too(house: House) -> None:
    with pytest.raises(NotFound):
        await house.start(queue=True, train_data_path="/nowhere.jsonl")
    with pytest.raises(Invalid):
        await house.start(queue=True, batch_size=5000)
    await house.start(queue=True)
    with pytest.raises(AlreadyExists) as refusal:
        await house.start(queue=True)

    assert refusal.value.errors[0].field == "adapter_name"
    assert len(house.queue.shown()) == 1
    await house.start(queue=True, overwrite=True)
    assert len(house.queue.shown()) == 2


async def test_the_same_key_waits_once(house: House) -> None:
    answers = await asyncio.gather(*(house.start("k", queue=True) for _ in range(5)))

    assert len(set(answers)) == 1
    assert len(house.queue.shown()) == 1


async def test_a_waiting_run_becomes_the_run_that_was_asked_for(house: House) -> None:
    session_id = await house.start(queue=True, lora_rank=4, tags=["a"])
    (run,) = house.queue.all()
    recipe = await house.manager.plan_waiting(run)

    assert recipe.session_id == session_id
    assert recipe.config["session_id"] == session_id
    assert (recipe.request["lora_rank"], recipe.tags) == (4, ("a",))
    assert (
        read_waiting(run).model_fields_set
        == house.request(queue=True, lora_rank=4, tags=["a"]).model_fields_set
    )


async def test_files_that_are_gone_by_then_are_told(house: House) -> None:
    await house.start(queue=True)
    house.rows.unlink()

    with pytest.raises(NotFound, match=r"rows\.jsonl"):
        await house.manager.plan_waiting(house.queue.all()[0])


async def test_a_request_of_another_version_is_told(house: House) -> None:
    await house.start(queue=True)
    run = house.queue.all()[0]
    old = run.model_copy(update={"request": run.request | {"lora_wings": 2}})

    with pytest.raises(BadContent, match="lora_wings"):
        read_waiting(old)
