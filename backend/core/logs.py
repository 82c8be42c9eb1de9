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
from typing import TextIO

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
    """A log that only its owner may read. Where it can't be written, nothing else suffers: that is
    told once on the terminal, and every later record is tried again.
    """

    def __init__(self, path: Path, terminal: logging.Handler) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=BACKUPS)
        self._terminal = terminal
        self._failing = False

    def emit(self, record: logging.LogRecord) -> None:
        failed_before, self._failing = self._failing, False
        super().emit(record)
        if self._failing and not failed_before:
            problem = f"{self.baseFilename} can't be written; the server continues without it."
            self._terminal.handle(_warning(problem))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        self._failing = True

    def _open(self) -> TextIOWrapper:
        # Not blocking, so that a pipe in its place is refused and not waited for.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
        handle = os.open(self.baseFilename, flags, 0o600)
        return TextIOWrapper(FileIO(handle, "a"), encoding="utf-8", errors="replace")


class _Terminal(logging.StreamHandler[TextIO]):
    """The terminal, or the file it was led to, which may be on a full disk as well."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """There is nowhere left to say it."""


def _warning(message: str) -> logging.LogRecord:
    return logging.makeLogRecord({"levelname": "WARNING", "levelno": 30, "msg": message})


def write_log_to(folder: Path) -> None:
    """Send every log record to `backend.log` in `folder`, and warnings to the terminal too.

    A log folder that can't be written is told on the terminal; the server works without.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    terminal = _Terminal()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handlers: list[logging.Handler] = [terminal]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _PrivateFile(folder / "backend.log", terminal)
    except OSError as problem:
        terminal.handle(_warning(f"No log is written: {problem}"))
    else:
        file.setFormatter(JsonLines())
        handlers.append(file)
    root.handlers[:] = handlers
