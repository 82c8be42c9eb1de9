"""When an engine's process waits with its imports done, so that what is asked next begins sooner.

From the moment that somebody fills in a form until some minutes after; never while a run or a job
has the memory, nor when memory is short. What takes it over, and how: `core/spare.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import psutil

from backend.core.machine.blas import engine_environment
from backend.core.process import spare
from backend.core.spare import Kind
from backend.core.tasks import Tasks
from backend.errors import AppError
from backend.settings import CHECKOUT, Settings

LEAST_AVAILABLE = 2 * 10**9  # Bytes of the machine's memory; the process itself takes a tenth of 1.
_LOOK_EVERY = 1.0
_MODULES = frozenset(
    f"backend.engines.{name}" for name in ("sft", "rl", "inference", "evaluate", "tokens")
)
# Not `rl.run`, which changes functions of mlx when it is imported: half a second that is left then.
_IMPORTS = tuple(
    f"backend.engines.{name}" for name in ("sft.run", "tokens.rendering", "inference.operations")
)
_logger = logging.getLogger(__name__)


class SpareEngine:
    """Called on the event loop's thread. `busy` says whether a run or a job has the memory."""

    def __init__(
        self,
        settings: Settings,
        busy: Callable[[], bool],
        *,
        available: Callable[[], int] = lambda: int(psutil.virtual_memory().available),
        imports: tuple[str, ...] = _IMPORTS,
    ) -> None:
        self._settings = settings
        self._busy = busy
        self._available = available
        self._imports = imports
        self._until = 0.0
        self._at_work = False
        self._tasks = Tasks()

    def want(self) -> None:
        """Somebody is about to ask for an engine: have one wait for the minutes of the setting."""
        seconds = self._settings.spare_minutes * 60
        if seconds <= 0:
            return
        self._until = asyncio.get_running_loop().time() + seconds
        if not self._at_work:
            self._at_work = True
            self._tasks.start(self._keep(seconds), name="keep a spare engine")

    async def close(self) -> None:
        await self._tasks.close()
        await asyncio.to_thread(spare.end)

    async def _keep(self, seconds: float) -> None:
        """Another begins when one was taken, as long as one is wanted."""
        loop = asyncio.get_running_loop()
        try:
            while loop.time() < self._until and self._available() > LEAST_AVAILABLE:
                if not self._busy() and await asyncio.to_thread(spare.pid) is None:
                    await asyncio.to_thread(self._begin, seconds)
                await asyncio.sleep(_LOOK_EVERY)
        except AppError as problem:  # What is asked for next says it to the user.
            _logger.warning("No spare engine could be started: %s", problem.detail)
        finally:
            self._at_work = False
        await asyncio.to_thread(spare.end)

    def _begin(self, seconds: float) -> None:
        spare.begin(
            Kind(
                python=str(self._settings.python),
                cwd=CHECKOUT,
                env=engine_environment(self._settings),
                modules=_MODULES,
                imports=self._imports,
                idle=seconds + 60,  # By itself only where this server does not end it.
            )
        )
