from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import psutil
import pytest

from backend.core.process import spare
from backend.jobs.lifecycle import spare_engine
from backend.jobs.lifecycle.spare_engine import LEAST_AVAILABLE, SpareEngine
from backend.settings import Settings
from tests.core.test_process import becomes_true

MINUTE = 1 / 60


class World:
    """A spare engine whose memory and runs are pretended."""

    def __init__(self, settings: Settings, minutes: float) -> None:
        self.available = 2 * LEAST_AVAILABLE
        self.busy = False
        chosen = replace(settings, python=type(settings.python)(sys.executable),
                         spare_minutes=minutes)  # fmt: skip
        self.engine = SpareEngine(
            chosen, lambda: self.busy, available=lambda: self.available, imports=("json",)
        )


@pytest.fixture
async def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(spare_engine, "_LOOK_EVERY", 0.01)
    made = World(settings, minutes=10.0)
    yield made
    await made.engine.close()
    assert spare.pid() is None


async def until(reached: Callable[[], object]) -> None:
    assert await asyncio.to_thread(becomes_true, lambda: bool(reached()))


async def test_one_waits_once_it_is_wanted_and_another_when_it_was_used(world: World) -> None:
    assert spare.pid() is None
    world.engine.want()
    world.engine.want()
    await until(spare.ready)
    first = spare.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: spare.pid() not in (None, first))


async def test_none_is_begun_beside_a_run(world: World) -> None:
    world.busy = True
    world.engine.want()
    for _ in range(20):
        await asyncio.sleep(0.01)
        assert spare.pid() is None
    world.busy = False
    await until(spare.pid)


async def test_it_ends_when_memory_is_short(world: World) -> None:
    world.engine.want()
    await until(spare.ready)
    pid = spare.pid()
    assert pid is not None
    world.available = LEAST_AVAILABLE - 1
    await until(lambda: not psutil.pid_exists(pid))
    assert spare.pid() is None


async def test_it_ends_when_its_minutes_are_over_and_none_is_wanted_of_zero(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare_engine, "_LOOK_EVERY", 0.01)
    short = World(settings, minutes=0.5 * MINUTE)
    short.engine.want()
    await until(spare.pid)
    await until(lambda: spare.pid() is None)
    off = World(settings, minutes=0.0)
    off.engine.want()
    await asyncio.sleep(0.05)
    assert spare.pid() is None
    await short.engine.close()
