"""The same Idempotency-Key: one run, for both who ask at once and for who asks the next server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from backend.core.hub import Hub
from backend.errors import AppError, EngineMissing, RunAlreadyActive, WrongState
from backend.jobs.prepare import prepare
from backend.jobs.queue import RunQueue
from backend.jobs.run.store import SessionStore
from backend.training import idempotency
from backend.training.manager import TrainingManager
from backend.training.rewards.service import Rewards
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.training.test_manager import FakeSupervisor, House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 18, starts=(5,) * 18)

    monkeypatch.setattr(TokenCounter, "count", count)
    made = House(tmp_path)
    made.settings.sessions_dir.mkdir(parents=True)  # As the store does when the server opens.
    return made


def record(house: House) -> None:
    """What the supervisor would have written of the last start."""
    settings = house.settings
    recipe = house.supervisor.started[-1]
    prepare(recipe, SessionStore(settings.sessions_dir, settings.adapters_dir))


async def restart(house: House) -> None:
    """The next server on the same data root."""
    house.supervisor = FakeSupervisor()
    house.queue = RunQueue(house.settings.sessions_dir, Hub())
    await house.queue.open()
    house.manager = TrainingManager(
        house.context,
        cast(Any, house.supervisor),
        queue=house.queue,
        rewards=Rewards(house.settings),
    )


async def test_the_same_key_answers_the_same_run(house: House) -> None:
    first, second = await asyncio.gather(house.start("k"), house.start("k"))

    assert first == second
    assert len(house.supervisor.started) == 1
    assert await house.start("other", adapter_name="b") != first


async def test_a_key_is_not_for_another_request(house: House) -> None:
    await house.start("k")

    with pytest.raises(WrongState, match="another request"):
        await house.start("k", lora_rank=5)


async def test_a_refused_start_may_be_tried_again_with_its_key(house: House) -> None:
    house.supervisor.busy = True
    with pytest.raises(RunAlreadyActive):
        await house.start("k")

    house.supervisor.busy = False
    assert await house.start("k")


async def test_an_old_key_is_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await house.start("k")
    monkeypatch.setattr(idempotency, "KEY_LIFE", 0.0)

    assert await house.start("k") != first


async def test_after_a_restart_the_key_answers_the_same_run(house: House) -> None:
    request = house.request(adapter_name="a")
    before = await house.manager.start(request, idempotency_key="k")
    record(house)
    await restart(house)
    house.supervisor.busy = True

    assert await house.manager.start(request, idempotency_key="k") == before
    assert house.supervisor.started == []
    with pytest.raises(WrongState, match="another request"):
        await house.start("k", lora_rank=5)
    with pytest.raises(RunAlreadyActive):
        await house.start("another key")


async def test_after_a_restart_a_queued_run_is_answered_too(house: House) -> None:
    house.supervisor.busy = True
    first = await house.start("k", queue=True)
    await restart(house)

    answer = await house.manager.start(house.request(queue=True), idempotency_key="k")

    assert (answer.status, answer.session_id) == ("queued", first)
    assert len(house.queue.shown()) == 1


async def test_a_start_that_came_to_nothing_before_the_restart_is_made_again(house: House) -> None:
    """The server was killed after it kept the key, and before there was a record."""
    first = await house.start("k")
    await restart(house)

    assert await house.start("k") != first
    assert len(house.supervisor.started) == 1


async def test_a_refused_start_with_a_key_writes_nothing(house: House) -> None:
    with pytest.raises(AppError):
        await house.start("k", batch_size=5000)

    assert list(house.settings.sessions_dir.iterdir()) == []


async def test_a_start_that_failed_late_may_be_tried_again_after_a_restart(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise EngineMissing("There is no engine.")

    monkeypatch.setattr(house.supervisor, "start", broken)
    with pytest.raises(EngineMissing):
        await house.start("k")
    await restart(house)

    assert await house.start("k")


async def test_keys_that_can_t_be_read_keep_nobody_from_starting(house: House) -> None:
    (house.settings.sessions_dir / "keys.json").write_text("[")

    assert await house.start("k")
