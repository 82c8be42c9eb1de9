"""One server for one data root: a lock that the kernel gives back whatever happens to us."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import time
from pathlib import Path
from typing import Any

import psutil

from backend.core.stored_files import DamagedFile, read_object


class AlreadyRunning(Exception):
    """Another server holds the lock; says which, as far as it wrote that down."""

    def __init__(self, holder: dict[str, Any]) -> None:
        self.holder = holder
        address = holder.get("url") or "an address it has not written down yet"
        super().__init__(
            f"Another server already works on this data root (pid {holder.get('pid', '?')}, "
            f"{address}). Use that one, end it with ./killmlxnew, or choose another --data-dir."
        )


class ServerLock:
    """An flock on `server.lock`, whose content tells who holds it: pid, start time and address.

    Whoever wants to end the server checks pid and start time against the living process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _make_usable(path)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = read_holder(path)
            os.close(self._handle)
            raise AlreadyRunning(holder) from None
        self.write()

    def write(self, *, url: str | None = None) -> None:
        """Write who we are; `url` once the socket listens."""
        me = psutil.Process()
        content = {"pid": me.pid, "started": me.create_time(), "url": url, "at": time.time()}
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(content).encode() + b"\n", 0)

    def release(self) -> None:
        os.ftruncate(self._handle, 0)
        os.close(self._handle)


def _make_usable(path: Path) -> None:
    """Set aside what no server can hold: a link, a folder or a pipe; let us into our own file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        path.rename(path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))
    elif not mode & stat.S_IRUSR or not mode & stat.S_IWUSR:
        path.chmod(0o600)  # The same file, so that whoever holds it still does.


def read_holder(path: Path) -> dict[str, Any]:
    """What the holder wrote; empty when that can't be read."""
    try:
        return read_object(path)
    except (OSError, DamagedFile):
        return {}
