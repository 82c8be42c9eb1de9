"""Keeps this machine awake while a run or a job lives; the display may sleep.

A program of the system does it for each process that lives, and ends with it by itself: so it also
holds while no server is there. `caffeinate` on a Mac, `systemd-inhibit` on Linux; where there is
neither, the machine follows its own settings.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from backend.core.news import News
from backend.core.process import Child, Identity, find_marked, spawn
from backend.core.tasks import Tasks
from backend.errors import AppError
from backend.settings import Settings

_PASSED_ON = ("PATH", "HOME", "LANG", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "TMPDIR")
_logger = logging.getLogger(__name__)


def keeper() -> str | None:
    """The system's program that keeps it awake; None where it has none."""
    names = ("caffeinate", "systemd-inhibit")
    return next((name for name in names if shutil.which(name)), None)


def keeper_command(name: str, pid: int) -> list[str]:
    """What keeps the machine awake until that process ends."""
    if name == "caffeinate":  # -i: no idle sleep, -s: none on mains power; the display may.
        return [name, "-is", "-w", str(pid)]
    return [
        name, "--what=sleep", "--who=Droid FineTuning", "--why=A training run is in progress",
        "--mode=block", "tail", f"--pid={pid}", "-f", "/dev/null",
    ]  # fmt: skip


class KeepAwake:
    """Called on the event loop's thread. `living` answers the processes of runs and jobs that live
    now, and `news` is told when that may have changed, or the setting.
    """

    def __init__(
        self, settings: Settings, news: News, living: Callable[[], Iterable[Child]]
    ) -> None:
        self._settings = settings
        self._news = news
        self._living = living
        self._keepers: dict[Identity, Child | None] = {}
        self._tasks = Tasks()

    def open(self) -> None:
        """After runs and jobs were adopted."""
        self._tasks.start(self._serve(), name="keep the machine awake")

    async def close(self) -> None:
        """Those that keep it awake go on with the runs that they belong to."""
        await self._tasks.close()

    @property
    def active(self) -> bool:
        """Whether the machine is kept awake now."""
        return any(child is not None and child.alive() for child in list(self._keepers.values()))

    async def _serve(self) -> None:
        while True:
            await self._news.until(lambda: self._enabled() != set(self._keepers))
            await asyncio.to_thread(self._apply, self._enabled())

    def _enabled(self) -> set[Identity]:
        if not self._settings.saved.values.keep_awake:
            return set()
        return {child.identity for child in self._living()}

    def _apply(self, enabled: set[Identity]) -> None:
        for identity in set(self._keepers) - enabled:
            child = self._keepers.pop(identity)
            if child is not None:
                child.kill()
        for identity in enabled - set(self._keepers):
            self._keepers[identity] = _keep(identity)


def _keep(identity: Identity) -> Child | None:
    """The keeper of a process: the one that an earlier server started, or a new one."""
    name = keeper()
    if name is None:
        return None
    mark = f"awake-{identity.pid}-{identity.started:.0f}"
    if (running := find_marked(mark)) is not None:
        return Child(running)
    env = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    try:
        return spawn(
            keeper_command(name, identity.pid),
            cwd=Path("/"), env=env, log_path=Path(os.devnull), mark=mark,
        )  # fmt: skip
    except (AppError, OSError) as problem:
        _logger.warning("The machine is not kept awake: %s", problem)
        return None
