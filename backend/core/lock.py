"""One server for one data root: a lock that the kernel gives back whatever happens to us."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

_logger = logging.getLogger(__name__)


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
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = read_holder(path)
            os.close(self._handle)
            raise AlreadyRunning(holder) from None
        self.write()

    def write(self, *, url: str | None = None) -> None:
        """Write who we are; `url` once the socket listens. On a full disk the lock holds unsaid."""
        me = psutil.Process()
        content = {"pid": me.pid, "started": me.create_time(), "url": url, "at": time.time()}
        try:
            self._replace(json.dumps(content).encode() + b"\n")
        except OSError as problem:
            _logger.warning("%s can't be written: %s", self._path, problem.strerror)

    def release(self) -> None:
        with suppress(OSError):
            self._replace(b"{}\n")
        os.close(self._handle)

    def _replace(self, content: bytes) -> None:
        """In place and never emptied first: a full disk has no new block, but this one is ours."""
        os.pwrite(self._handle, content, 0)
        os.ftruncate(self._handle, len(content))


def read_holder(path: Path) -> dict[str, Any]:
    """What the holder wrote; empty when that can't be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
