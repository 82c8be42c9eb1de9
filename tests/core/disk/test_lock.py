from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from backend.core.disk.lock import AlreadyRunning, ServerLock, read_holder
from backend.settings import CHECKOUT


def test_the_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    """F15."""
    lock = ServerLock(tmp_path / "server.lock")
    lock.write(url="http://127.0.0.1:1234")
    with pytest.raises(AlreadyRunning, match=r"127\.0\.0\.1:1234.*--data-dir"):
        ServerLock(tmp_path / "server.lock")
    lock.release()
    ServerLock(tmp_path / "server.lock").release()


def test_the_lock_tells_pid_and_start_time(tmp_path: Path) -> None:
    lock = ServerLock(tmp_path / "server.lock")
    holder = read_holder(tmp_path / "server.lock")
    assert holder["pid"] == psutil.Process().pid
    assert holder["started"] == psutil.Process().create_time()
    lock.release()
    assert read_holder(tmp_path / "server.lock") == {}


def test_a_killed_holder_gives_the_lock_back(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from backend.core.disk.lock import ServerLock\n"
        "lock = ServerLock(Path(sys.argv[1]))\nprint('held', flush=True)\ntime.sleep(60)\n"
    )
    path = tmp_path / "server.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(AlreadyRunning, match=str(holder.pid)):
        ServerLock(path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    ServerLock(path).release()


@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_lock_file_that_cannot_be_read_still_locks(tmp_path: Path, content: str) -> None:
    path = tmp_path / "server.lock"
    path.write_text(content)
    lock = ServerLock(path)
    assert json.loads(path.read_text())["pid"]
    lock.release()


def test_two_roots_that_share_a_folder_are_refused(tmp_path: Path) -> None:
    """As with another DROID_SESSIONS_DIR for the same data root; also by another name."""
    for name in ("root", "sessions", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "root")
    first = ServerLock(tmp_path / "sessions" / "server.lock", folders=[tmp_path / "root"])
    first.write(url="http://127.0.0.1:1234")

    for root in ("root", "link"):
        with pytest.raises(AlreadyRunning, match=r"/root .*127\.0\.0\.1:1234"):
            ServerLock(tmp_path / "other" / "server.lock", folders=[tmp_path / root])
    ServerLock(tmp_path / "other" / "server.lock").release()  # It was given back.

    first.release()
    ServerLock(tmp_path / "other" / "server.lock", folders=[tmp_path / "root"]).release()


def test_a_full_disk_keeps_no_lock_from_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = ServerLock(tmp_path / "server.lock")
    lock.write(url="http://127.0.0.1:1234")
    with pytest.raises(AlreadyRunning, match="Another server"):
        ServerLock(tmp_path / "server.lock")
    lock.release()
    ServerLock(tmp_path / "server.lock").release()


def test_the_space_of_the_lock_is_never_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the next server writes its address over the last one's."""
    sizes, truncate = list[int](), os.ftruncate

    def note(handle: int, size: int) -> None:
        sizes.append(size)
        truncate(handle, size)

    monkeypatch.setattr(os, "ftruncate", note)
    for _ in range(2):
        lock = ServerLock(tmp_path / "server.lock")
        lock.write(url="http://127.0.0.1:1234")
        assert read_holder(tmp_path / "server.lock")["url"] == "http://127.0.0.1:1234"
        lock.release()

    assert min(sizes) > 0


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path.name)])
def test_what_no_server_can_hold_is_set_aside_and_keeps_none_from_starting(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "server.lock"
    make(path)

    lock = ServerLock(path)
    assert read_holder(path)["pid"] == os.getpid()
    assert len(list(tmp_path.glob("server.lock.damaged-*"))) == 1
    lock.release()
