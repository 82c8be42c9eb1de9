"""What has changed is told once, and nothing is told while nothing changes."""

from __future__ import annotations

import asyncio
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from backend.core.disk.notice_watch import NoticesData, watch_notices
from backend.core.disk.notices import Notices

Usage = namedtuple("Usage", ("total", "used", "free"))


async def test_a_new_notice_and_a_full_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: asyncio.Queue[NoticesData] = asyncio.Queue()
    free = [10**12]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free[0]))
    watch = asyncio.create_task(
        watch_notices(tmp_path, lambda _, data: told.put_nowait(data), look_every=0.001)
    )
    await asyncio.sleep(0)  # Its first look is what later ones are compared with.
    async with asyncio.timeout(10):
        for number in range(100):  # Until the first look has been.
            await asyncio.to_thread(
                Notices(tmp_path).report, tmp_path / f"a{number}.json", "It is empty.", "Look."
            )
            if not told.empty():
                break
        assert (await told.get()).low_space is False
        free[0] = 1000
        while (await told.get()).low_space is not True:
            pass
    watch.cancel()
