from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest_asyncio

from backend.core.process import MARK
from backend.settings import Settings
from tests.jobs.world import World


@pytest_asyncio.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    made = World(settings)
    await made.supervisor.open()
    yield made
    await made.supervisor.stop(save=False)
    await made.supervisor.close()
    end_runs_under(settings.sessions_dir)


def end_runs_under(sessions_dir: Path) -> None:
    """Kill what a failed test left: every process that carries the mark of one of its runs."""
    runs = {str(path.resolve()) for path in sessions_dir.iterdir() if path.is_dir()}
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) in runs:
                process.kill()
        except psutil.Error:
            continue
