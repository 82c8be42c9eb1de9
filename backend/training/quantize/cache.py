"""Keep `.cache/quantized` bounded: copies that no run has used for long are removed.

A copy can be made again at any time, by the same steps to the same bytes, so losing one costs
minutes and never a result. What is in use is told by its lock
(`backend/engines/trainer/quantize.py`).
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.disk.removal import NotRemoved, named, remove
from backend.jobs.queue import RunQueue
from backend.training.quantize.base import quantized_folder

KEPT = 4
UNUSED_DAYS = 30
COPY = re.compile(r".+-q\d+|\..+\.[0-9a-f]+\.tmp")  # A copy, or one that was never finished.
EVERY = 6 * 3600.0

Pause = Callable[[float], Awaitable[None]]

_logger = logging.getLogger(__name__)


async def tend_copies(data_dir: Path, queue: RunQueue, *, pause: Pause = asyncio.sleep) -> None:
    """Look now and every few hours, until cancelled. A waiting run that needs a copy keeps all."""
    while True:
        if not any(run.request.get("quantize_base") for run in queue.all()):
            for path in await asyncio.to_thread(sweep_copies, data_dir):
                _logger.info("Removed the quantised copy %s, which was not used for long.", path)
        await pause(EVERY)


def sweep_copies(data_dir: Path, *, now: float | None = None) -> list[Path]:
    """Remove copies that were not used for UNUSED_DAYS, and all but the KEPT last used ones; never
    one that a process uses. Answers what was removed, and also clears what killed makers left.
    """
    folder = quantized_folder(data_dir)
    oldest = (time.time() if now is None else now) - UNUSED_DAYS * 86400
    try:
        inside = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []
    for stray in inside:
        if stray.name.startswith(".") and stray.suffix == ".tmp":
            _remove(stray, copy=folder / stray.name[1:].rsplit(".", 2)[0])
    copies = sorted((path for path in inside if not path.name.startswith(".")), key=_last_use)
    old = set(copies[:-KEPT]) | {path for path in copies if _last_use(path) < oldest}
    return [path for path in copies if path in old and _remove(path, copy=path)]


def _last_use(copy: Path) -> float:
    """When a run last began with it; of a copy without a lock, when it was made."""
    for path in (_lock_of(copy), copy):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _remove(path: Path, *, copy: Path) -> bool:
    """Under the copy's own lock; False where somebody uses it."""
    try:
        with _lock(copy):
            remove(path, inside=copy.parent, own=named(COPY))
    except BlockingIOError:
        return False
    except (OSError, NotRemoved) as problem:
        _logger.warning("%s could not be removed: %s", path, problem)
        return False
    return True


@contextmanager
def _lock(copy: Path) -> Iterator[None]:
    """Raises BlockingIOError where another process holds it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(_lock_of(copy), flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _lock_of(copy: Path) -> Path:
    return copy.with_name(f".{copy.name}.lock")
