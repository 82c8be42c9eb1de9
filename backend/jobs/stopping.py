"""How long a run may take to end once it was asked to, and what comes after that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from backend.jobs.lifecycle.engine_process import wait_then_kill
from backend.jobs.live_run import LiveRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """Seconds that a run gets to end by itself before it is killed with all it started.

    `stop` from the request on, or three of its own steps if those take longer; `save` once it says
    that it is saving; `exit` after its last word.
    """

    stop: float = 10.0
    save: float = 120.0
    exit: float = 10.0


class StopPatience:
    """How long a run is still waited for. Its stages only come one after the other, and each has
    its own time: a last word after a long save does not find the time used up.
    """

    def __init__(self, grace: Grace, now: float) -> None:
        self._grace = grace
        self._stage = 0
        self._since = now

    def is_over(self, run: LiveRun, now: float) -> bool:
        stage = 2 if run.progress.exit is not None else int(run.progress.phase == "saving")
        if stage > self._stage:
            self._stage, self._since = stage, now
        stop = max(self._grace.stop, min(3 * run.seconds_per_step, self._grace.save))
        return now - self._since > (stop, self._grace.save, self._grace.exit)[self._stage]


@dataclass(frozen=True, slots=True)
class StopResult:
    """`stopped`: the run was asked to end; `finished` says whether it has by now."""

    status: Literal["stopped", "idle"]
    finished: bool
    message: str
    session_id: str | None


async def end_in_time(run: LiveRun, grace: Grace) -> None:
    """Wait for a run to end by itself; kill it when its time is up."""
    patience = StopPatience(grace, asyncio.get_running_loop().time())
    await wait_then_kill(
        f"The run {run.session_id}",
        lambda: run.child,
        lambda now: patience.is_over(run, now),
    )
