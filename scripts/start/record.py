"""Which processes `./startmlxnew` started: pid and start time, kept beside the logs."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from backend.core.disk.lock import read_holder
from backend.settings import Settings

_SAME_START = 1.5  # seconds; psutil derives a start time from a clock that is adjusted a little


@dataclass(frozen=True, slots=True)
class Known:
    """One process; a recycled pid has another start time."""

    pid: int
    started: float

    def find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


@dataclass(frozen=True, slots=True)
class Record:
    """A running service: where it listens, and who looks after it."""

    url: str
    server: Known
    launcher: Known


def known(pid: int) -> Known:
    return Known(pid, psutil.Process(pid).create_time())


def record_path(logs: Path) -> Path:
    return logs / "server.json"


def read_record(settings: Settings) -> Record | None:
    """What this command wrote, else what a server started in another way wrote about itself."""
    return _read_own(settings.logs_dir) or _read_lock(settings.sessions_dir / "server.lock")


def _read_lock(path: Path) -> Record | None:
    holder = read_holder(path)
    try:
        server = Known(int(holder["pid"]), float(holder["started"]))
        return Record(str(holder["url"]), server, server) if holder["url"] else None
    except (KeyError, TypeError, ValueError):
        return None


def _read_own(logs: Path) -> Record | None:
    try:
        raw = json.loads(record_path(logs).read_text(encoding="utf-8"))
        record = Record(str(raw["url"]), Known(**raw["server"]), Known(**raw["launcher"]))
        return record if record.server.find() or record.launcher.find() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_record(logs: Path, record: Record) -> None:
    """Best effort: on a full disk, server.lock tells of the server alone."""
    path = record_path(logs)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        fresh.write_text(json.dumps(asdict(record)), encoding="utf-8")
        fresh.replace(path)
    except OSError as problem:
        print(f"{path} can't be written: {problem.strerror}.", file=sys.stderr)
        fresh.unlink(missing_ok=True)


def drop_record(logs: Path) -> None:
    record_path(logs).unlink(missing_ok=True)


def end(process: Known, *, patience: float) -> bool:
    """Ask it to end, kill it when it does not within `patience` seconds; False if it was gone."""
    found = process.find()
    if found is None:
        return False
    found.terminate()
    deadline = time.monotonic() + patience
    while process.find() is not None:
        if time.monotonic() > deadline:
            found.kill()
            break
        time.sleep(0.05)
    return True
