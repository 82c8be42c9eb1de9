"""Tell the pages when a file was found damaged or the disk gets full; none of them polls for it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from backend.core.disk.disk_errors import LOW_SPACE
from backend.core.disk.notices import FOLDER

LOOK_EVERY = 2.0  # Seconds; a look is two system calls.


class NoticesData(BaseModel):
    """Something of `GET /notices` or of the free space has changed."""

    low_space: bool | None


async def watch_notices(
    data_dir: Path,
    publish: Callable[[str, NoticesData], object],
    *,
    look_every: float = LOOK_EVERY,
) -> None:
    """Publish `notices_changed` whenever the notices change, or the disk is full or has room again.

    Runs until it is cancelled.
    """
    before = await asyncio.to_thread(_look, data_dir)
    while True:
        await asyncio.sleep(look_every)
        now = await asyncio.to_thread(_look, data_dir)
        if now != before:
            before = now
            publish("notices_changed", NoticesData(low_space=now[1]))


def _look(data_dir: Path) -> tuple[int, bool | None]:
    try:
        changed = (data_dir / FOLDER).stat().st_mtime_ns
    except OSError:
        changed = 0
    try:
        low = shutil.disk_usage(data_dir).free < LOW_SPACE
    except OSError:
        return changed, None
    return changed, low
