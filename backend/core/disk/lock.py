"""One server for one data root, and for each folder of it that lies elsewhere: locks that the
kernel gives back whatever happens to us.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from backend.core.disk.stored_files import DamagedFile, read_object

FOLDER_LOCK = ".server.lock"
_logger = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another server holds the lock; says which, as far as it wrote that down."""

    def __init__(self, holder: dict[str, Any], folder: Path) -> None:
        self.holder = holder
        address = holder.get("url") or "an address it has not written down yet"
        super().__init__(
            f"Another server already works on this data root, or on a folder of it: {folder} "
            f"(pid {holder.get('pid', '?')}, {address}). Use that one, end it with ./killmlxnew or "
            "`droid-finetuning stop --service`, or choose another --data-dir."
        )


class ServerLock:
    """An flock on `server.lock`, whose content tells who holds it: pid, start time and address;
    and on a file `.server.lock` in each of `folders`, which two servers may never share either.

    Whoever wants to end the server checks pid and start time against the living process.
    """

    def __init__(self, path: Path, *, folders: Sequence[Path] = ()) -> None:
        self._handles: list[int] = []
        real = dict.fromkeys(folder.resolve() for folder in folders)
        try:
            for file in (path, *(folder / FOLDER_LOCK for folder in real)):
                self._take(file)
        except BaseException:
            self._close()
            raise
        self.write()

    def _take(self, path: Path) -> None:
        _make_usable(path)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._handles.append(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handles.remove(handle)
            os.close(handle)
            raise AlreadyRunning(read_holder(path), path.parent) from None

    def write(self, *, url: str | None = None) -> None:
        """Write who we are; `url` once the socket listens. On a full disk the lock holds unsaid."""
        me = psutil.Process()
        content = {"pid": me.pid, "started": me.create_time(), "url": url, "at": time.time()}
        for handle in self._handles:
            try:
                _replace(handle, json.dumps(content).encode() + b"\n")
            except OSError as problem:
                _logger.warning("A server lock can't be written: %s", problem.strerror)

    def release(self) -> None:
        for handle in self._handles:
            with suppress(OSError):
                _replace(handle, b"{}\n")
        self._close()

    def _close(self) -> None:
        while self._handles:
            os.close(self._handles.pop())


def _replace(handle: int, content: bytes) -> None:
    """In place and never emptied first: a full disk has no new block, but this one is ours."""
    os.pwrite(handle, content, 0)
    os.ftruncate(handle, len(content))


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
