"""The machine stays awake while a run lives, through a stand-in for the system's program."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.news import News
from backend.core.process import Child, spawn
from backend.jobs.keep_awake import KeepAwake, keeper, keeper_command
from backend.settings import Settings, read_settings

# As `caffeinate -w`: lives as long as the process that it is given.
_WAIT = 'echo "$@" >> "$0.said"\nwhile kill -0 "$2" 2>/dev/null; do sleep 0.02; done\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({}, data_dir=str(tmp_path))


@pytest.fixture
def caffeinate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "caffeinate"
    program.write_text(f"#!/bin/sh\nshift\n{_WAIT}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return program


@pytest.fixture
def run(tmp_path: Path) -> Child:
    return spawn(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        cwd=tmp_path, env=dict(os.environ), log_path=tmp_path / "log", mark=str(tmp_path),
    )  # fmt: skip


@asynccontextmanager
async def keeping(settings: Settings, news: News, living: list[Child]) -> AsyncIterator[KeepAwake]:
    awake = KeepAwake(settings, news, lambda: living)
    awake.open()
    try:
        yield awake
    finally:
        await awake.close()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - a process's end, which nobody tells of
            await asyncio.sleep(0.01)


async def test_it_is_kept_awake_from_the_start_of_a_run_to_its_end(
    settings: Settings, caffeinate: Path, run: Child
) -> None:
    news, living = News(), list[Child]()
    async with keeping(settings, news, living) as awake:
        assert not awake.active
        living.append(run)
        news.tell()
        await until(lambda: awake.active)
        await until(caffeinate.with_suffix(".said").exists)
        run.kill()
        await until(lambda: not awake.active)  # By itself: no news is needed.

    assert caffeinate.with_suffix(".said").read_text() == f"-w {run.identity.pid}\n"


async def test_the_setting_applies_to_a_run_that_lives(
    settings: Settings, caffeinate: Path, run: Child
) -> None:
    news, saved = News(), settings.saved
    async with keeping(settings, news, [run]) as awake:
        await until(lambda: awake.active)
        saved.values = replace(saved.values, keep_awake=False)
        news.tell()
        await until(lambda: not awake.active)
        saved.values = replace(saved.values, keep_awake=True)
        news.tell()
        await until(lambda: awake.active)
    run.kill()


async def test_a_new_server_takes_over_what_the_last_one_started(
    settings: Settings, caffeinate: Path, run: Child
) -> None:
    async with keeping(settings, News(), [run]) as awake:
        await until(lambda: awake.active)
        await until(caffeinate.with_suffix(".said").exists)
    async with keeping(settings, News(), [run]) as awake:
        await until(lambda: awake.active)

    assert caffeinate.with_suffix(".said").read_text().count("-w") == 1
    run.kill()


async def test_without_such_a_program_a_run_is_left_alone(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Child
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with keeping(settings, News(), [run]) as awake:
        await asyncio.sleep(0)
        assert not awake.active

    assert keeper() is None
    assert run.alive()
    run.kill()


def test_the_display_may_sleep() -> None:
    assert keeper_command("caffeinate", 42) == ["caffeinate", "-is", "-w", "42"]
    inhibit = keeper_command("systemd-inhibit", 42)
    assert "--what=sleep" in inhibit and "--pid=42" in inhibit
