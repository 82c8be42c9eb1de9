"""Old quantised copies go; those in use, used lately or wanted by a waiting run stay."""

from __future__ import annotations

import asyncio
import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.core.hub import Hub
from backend.jobs.queue import RunQueue, WaitingRun
from backend.training.quantize.cache import KEPT, UNUSED_DAYS, sweep_copies, tend_copies

NOW = 2_000_000_000.0
DAY = 86400.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / ".cache" / "quantized"
    path.mkdir(parents=True)
    return path


def copy_of(folder: Path, name: str, *, days: float) -> Path:
    """A copy that was last used so many days ago."""
    path = folder / name
    path.mkdir()
    (path / "config.json").write_text("{}")
    lock = folder / f".{name}.lock"
    lock.touch()
    os.utime(lock, (NOW - days * DAY,) * 2)
    return path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_copies_unused_for_long_are_removed(tmp_path: Path, folder: Path) -> None:
    old = copy_of(folder, "old-q4", days=UNUSED_DAYS + 1)
    copy_of(folder, "new-q4", days=UNUSED_DAYS - 1)

    assert sweep_copies(tmp_path, now=NOW) == [old]
    assert left(folder) == {"new-q4"}


def test_only_the_last_used_ones_are_kept(tmp_path: Path, folder: Path) -> None:
    for number in range(KEPT + 2):
        copy_of(folder, f"copy{number}-q4", days=number)

    sweep_copies(tmp_path, now=NOW)

    assert left(folder) == {f"copy{number}-q4" for number in range(KEPT)}


def test_a_copy_in_use_is_never_removed(tmp_path: Path, folder: Path) -> None:
    copy_of(folder, "used-q4", days=99)
    handle = os.open(folder / ".used-q4.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_SH)

    assert sweep_copies(tmp_path, now=NOW) == []
    assert left(folder) == {"used-q4"}

    os.close(handle)  # As the kernel does at the end of a run.
    sweep_copies(tmp_path, now=NOW)
    assert left(folder) == set()


def test_what_a_killed_maker_left_goes_but_not_what_one_is_making(
    tmp_path: Path, folder: Path
) -> None:
    for name in (".dead-q4.0011.tmp", ".made-q8.0022.tmp"):
        (folder / name).mkdir()
    handle = os.open(folder / ".made-q8.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)

    sweep_copies(tmp_path, now=NOW)

    assert left(folder) == {".made-q8.0022.tmp"}
    os.close(handle)


def test_without_copies_nothing_is_done(tmp_path: Path) -> None:
    assert sweep_copies(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", [4, None])
async def test_a_waiting_run_keeps_its_copy(tmp_path: Path, folder: Path, bits: int | None) -> None:
    copy_of(folder, "old-q4", days=99_999)
    queue = RunQueue(tmp_path, Hub())
    waiting = WaitingRun(
        session_id="id", adapter_name="a", model_name="m", method="sft", total_steps=1,
        queued_at=datetime.now(UTC), request={"quantize_base": bits},
    )  # fmt: skip
    await queue.add(waiting)
    looked = asyncio.Event()

    async def pause(_seconds: float) -> None:
        looked.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(tend_copies(tmp_path, queue, pause=pause))
    await looked.wait()
    task.cancel()

    assert left(folder) == ({"old-q4"} if bits else set())
