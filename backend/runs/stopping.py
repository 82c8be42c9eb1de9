"""How long a run may take to end once it was asked to, and what comes after that."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from backend.runs.live import LiveRun

_TICK = 0.1
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """Seconds that a run gets to end by itself before it is killed with all it started.

    `stop` from the request on, or three of its own steps if those take longer; `save` once it says
    that it is saving; `exit` after its last word.
    """

    stop: float = 10.0
    save: float = 120.0
    exit: float = 10.0

    def limit(self, run: LiveRun) -> float:
        if run.progress.exit is not None:
            return self.exit
        if run.progress.phase == "saving":
            return self.save
        return max(self.stop, min(3 * run.seconds_per_step, self.save))


@dataclass(frozen=True, slots=True)
class StopResult:
    status: Literal["stopped", "stopping", "idle"]
    message: str
    session_id: str | None


async def see_out(run: LiveRun, grace: Grace) -> None:
    """Wait for a run to end by itself; kill it when its time is up."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while (child := run.child) is not None:
        if loop.time() - begun > grace.limit(run):
            _logger.warning("The run %s did not end in time and is killed.", run.session_id)
            await asyncio.to_thread(child.kill)
            return
        await asyncio.sleep(_TICK)
