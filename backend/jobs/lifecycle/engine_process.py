"""The process of a job: the one way to start it and the one way to end it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.core.process import Child, spawn
from backend.settings import CHECKOUT, Settings

_TICK = 0.1
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What is started: `python -m backend.engines.<engine> <folder>`, its output into `log` there.

    `mark` is in the environment of the process and of all that it starts.
    """

    engine: str
    folder: Path
    log: str
    mark: str
    env: Mapping[str, str]


def start_engine(settings: Settings, launch: Launch) -> Child:
    """Start the process. Raises EngineMissing, or OSError when its log can't be made. Blocking."""
    module = f"backend.engines.{launch.engine}"
    return spawn(
        [str(settings.python), "-m", module, str(launch.folder)],
        cwd=CHECKOUT,
        env=launch.env,
        log_path=launch.folder / launch.log,
        mark=launch.mark,
    )


async def wait_then_kill(
    name: str, living: Callable[[], Child | None], late: Callable[[float], bool]
) -> None:
    """Wait for a process that was asked to end, or said that it does; kill it with all it started
    once `late` says of the time on the event loop's clock that it is over.

    `living` answers the process as long as its end is not settled.
    """
    loop = asyncio.get_running_loop()
    while (child := living()) is not None:
        if late(loop.time()):
            _logger.warning("%s did not end in time and is killed.", name)
            await asyncio.to_thread(child.kill)
            return
        await asyncio.sleep(_TICK)


async def end_child(name: str, child: Child, *, grace: float) -> None:
    """Ask a process to end, and kill it with all it started if it has not after `grace` seconds."""
    await asyncio.to_thread(child.signal, signal.SIGTERM)
    await wait_then_kill(name, lambda: child if child.alive() else None, after(grace))
    await asyncio.to_thread(child.kill)  # What it left behind.


def after(seconds: float) -> Callable[[float], bool]:
    """Whether that many seconds are over since now. On the event loop's thread."""
    limit = asyncio.get_running_loop().time() + seconds
    return lambda now: now > limit
