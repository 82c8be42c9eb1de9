"""Watch a run that trains for silence: no event tells of an engine that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from backend.jobs.live_run import LiveRun
from backend.jobs.run.schemas import Alert
from backend.jobs.run.state import RunState

EVERY = 10.0  # Seconds between two looks.


async def watch_silence(run: LiveRun, tell: Callable[[Alert], None]) -> None:
    """Until the run has ended: raise the alert of a run that has said nothing for too long."""
    while run.active:
        if run.state is RunState.RUNNING and run.progress.phase == "training":
            alert = run.health.silent(run.silence, at=datetime.now(UTC))
            if alert is not None:
                tell(alert)
        await asyncio.sleep(EVERY)
