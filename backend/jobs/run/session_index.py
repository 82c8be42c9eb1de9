"""The index of sessions: a row for each record, kept in memory and in a file beside it.

The records are the truth. A row counts as long as its record has the same time, size and inode; any
other is read again, and the file may be deleted at any time: the next start makes it anew.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.core.disk.files import NAME, write_bytes
from backend.core.disk.stored_files import DamagedFile, read_bytes
from backend.jobs.run.schemas import SessionSummary
from backend.jobs.run.session_order import Row, Stamp, in_order

FORM = 1  # Grows with every change in how a row is made of a record.
SAVE_EVERY = 200  # Rows read anew until the file is written again.

_MOST_BYTES = 512 * 1024 * 1024
_MISSING: Stamp = (0, 0, 0)
_logger = logging.getLogger(__name__)


class SessionIndex:
    """The rows of `sessions/session_*.json`, newest first. Blocking; safe from several threads.

    `read` makes the row of a session whose record is new or has changed.
    """

    def __init__(
        self, sessions_dir: Path, read: Callable[[str, Stamp], Row], file: Path | None
    ) -> None:
        self._folder = sessions_dir
        self._read = read
        self._file = file
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}  # By the name of the record's file.
        self._ordered: tuple[Row, ...] = ()
        self._unsaved = 0

    def open(self) -> None:
        """Take the rows of the last time, if they are of this folder and form."""
        with self._lock:
            self._rows = {} if self._file is None else _stored(self._file, self._folder)

    def rows(self) -> Sequence[Row]:
        """Every session, newest first: one look at the folder, and at each record that changed.

        The very same sequence as the last time when nothing has changed.
        """
        with self._lock:
            rows: dict[str, Row] = {}
            fresh = 0
            known = self._rows
            for entry in _entries(self._folder):
                name = entry.name
                row = known.get(name)
                if row is None and not is_record(name):
                    continue
                try:
                    stat = entry.stat()
                    stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                except OSError:  # A dangling link, or deleted just now.
                    stamp = _MISSING
                if row is None or row.stamp != stamp:
                    row = self._read(name[len("session_") : -len(".json")], stamp)
                    fresh += 1
                rows[name] = row
            if fresh or len(rows) != len(known) or len(rows) != len(self._ordered):
                self._rows, self._ordered = rows, tuple(in_order(rows.values()))
            self._unsaved += fresh
            if self._unsaved >= SAVE_EVERY:
                self._save()
            return self._ordered

    def close(self) -> None:
        """Write the file, if it is not what the rows are."""
        with self._lock:
            if self._unsaved:
                self._save()

    def _save(self) -> None:
        self._unsaved = 0
        if self._file is None:
            return
        stored = _StoredIndex.model_construct(
            form=FORM, fields=_FIELDS, sessions_dir=str(self._folder), rows=[
                _StoredRow.model_construct(
                    name=name, stamp=row.stamp, number=row.number, text=row.text,
                    summary=row.summary,
                )
                for name, row in self._rows.items()
            ],
        )  # fmt: skip
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._file, stored.model_dump_json(exclude_defaults=True).encode())
        except OSError as problem:  # A slower start, and nothing lost.
            _logger.warning("The index of sessions is not saved: %s", problem)


class _StoredRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    stamp: tuple[int, int, int]
    number: int | None
    text: str
    summary: SessionSummary


_FIELDS = ",".join(SessionSummary.model_fields)


class _StoredIndex(BaseModel):
    model_config = ConfigDict(extra="forbid")

    form: int
    fields: str
    sessions_dir: str
    rows: list[_StoredRow]


def _stored(file: Path, folder: Path) -> dict[str, Row]:
    """The rows of the file by the names of the records; none where it can't be used."""
    try:
        stored = _StoredIndex.model_validate_json(read_bytes(file, most=_MOST_BYTES))
    except (FileNotFoundError, DamagedFile, ValidationError):
        return {}
    if (stored.form, stored.fields) != (FORM, _FIELDS) or stored.sessions_dir != str(folder):
        return {}
    return {row.name: Row(row.stamp, row.summary, row.number, row.text) for row in stored.rows}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def is_record(name: str) -> bool:
    """Whether a file of the sessions folder is a record, by its name."""
    return (
        name.startswith("session_")
        and name.endswith(".json")
        and NAME.fullmatch(name[len("session_") : -len(".json")]) is not None
    )
