"""The server's own log: one JSON object per line, rotated, with secrets taken out."""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime
from io import FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 5 * 1024 * 1024
BACKUPS = 3

_SECRETS = (
    (re.compile(r"hf_[A-Za-z0-9]{8,}"), "hf_…"),
    (re.compile(r"([?&]token=)[^&\s\"']+"), r"\1…"),
    (re.compile(r"(Authorization['\"]?[:=]\s*['\"]?(?:Bearer\s+)?)[^\s'\"]+", re.I), r"\1…"),
)


def redact(text: str) -> str:
    """The text without tokens."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonLines(logging.Formatter):
    """One record, one line: a name with a newline in it can't forge a second one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return redact(json.dumps(entry, ensure_ascii=False))


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner may read."""

    def _open(self) -> TextIOWrapper:
        # Not blocking, so that a pipe in its place is refused and not waited for.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
        handle = os.open(self.baseFilename, flags, 0o600)
        return TextIOWrapper(FileIO(handle, "a"), encoding="utf-8", errors="replace")


def write_log_to(folder: Path) -> None:
    """Send every log record to `backend.log` in `folder`, and warnings to the terminal too.

    A log folder that can't be written is told on the terminal; the server works without.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handlers: list[logging.Handler] = [terminal]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _PrivateFile(folder / "backend.log", maxBytes=MAX_BYTES, backupCount=BACKUPS)
    except OSError as problem:
        terminal.handle(
            logging.makeLogRecord(
                {"levelname": "WARNING", "levelno": 30, "msg": f"No log is written: {problem}"}
            )
        )
    else:
        file.setFormatter(JsonLines())
        handlers.append(file)
    root.handlers[:] = handlers
