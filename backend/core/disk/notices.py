"""Notices about files that can't be read: what is wrong, and where the file was kept.

Each is a file of its own in `<data>/notices`, so that it outlives the server until it is dismissed;
a dismissed one stays on disk, so that the same damage is not reported again after a restart.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from backend.core.disk.files import NAME, write_json
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.errors import NotFound

FOLDER = "notices"
_MOST = 200  # The newest are shown.
_lock = threading.Lock()  # Of the folder; objects come and go.
_logger = logging.getLogger(__name__)


class Notice(BaseModel):
    """A file that could not be read. `kept_as` is where it was moved; null: it was left alone."""

    id: str
    at: datetime
    file: str
    problem: str
    kept_as: str | None
    message: str


class NoticeList(BaseModel):
    """Newest first."""

    notices: list[Notice]


class _Stored(Notice):
    dismissed: bool = False


class Notices:
    """The notices of one data root. Blocking."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def listed(self) -> NoticeList:
        """Those that nobody has dismissed."""
        notices = [notice for notice in self._all() if not notice.dismissed]
        newest = sorted(notices, key=lambda notice: notice.at, reverse=True)[:_MOST]
        return NoticeList(notices=[Notice(**notice.model_dump()) for notice in newest])

    def dismiss(self, notice_id: str) -> None:
        """Not shown any more; the file that it is about is left alone. Raises NotFound."""
        with _lock:
            notice = self._read(notice_id) if NAME.fullmatch(notice_id) else None
            if notice is None:
                raise NotFound(f"There is no notice {notice_id[:80]!r}.")
            notice.dismissed = True
            self._write(notice)

    def report(self, path: Path, problem: str, consequence: str) -> None:
        """Say once that a file can't be read; it stays where it is. `consequence` is a sentence."""
        name = hashlib.sha256(f"{path}\0{problem}".encode(errors="replace")).hexdigest()[:32]
        self._add(name, path, problem, None, consequence)

    def set_aside(self, path: Path, problem: str, consequence: str) -> Path:
        """Move a file that can't be read to a name of its own, so that nothing overwrites it, and
        say so. Raises OSError when it can't be moved: then the caller must not write either.
        """
        now = datetime.now(UTC)
        ending = f"damaged-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        target = path.with_name(f"{path.name[:200]}.{ending}")
        path.rename(target)
        _logger.error("%s It is kept as %s. %s", problem, target.name, consequence)
        self._add(secrets.token_hex(16), path, problem, target, consequence)
        return target

    def _add(
        self, name: str, path: Path, problem: str, kept_as: Path | None, consequence: str
    ) -> None:
        where = f"It is kept as {kept_as}." if kept_as else "The file is unchanged."
        notice = _Stored(
            id=name,
            at=datetime.now(UTC),
            file=str(path),
            problem=problem,
            kept_as=str(kept_as) if kept_as else None,
            message=f"{problem} {consequence} {where}",
        )
        with _lock:
            if self._read(name) is not None:
                return
            if kept_as is None:
                _logger.warning("%s (%s) %s", problem, path, consequence)
            self._write(notice)

    def _all(self) -> list[_Stored]:
        try:
            names = [path.stem for path in self._folder.iterdir() if path.suffix == ".json"]
        except OSError:
            return []
        return [notice for name in names if (notice := self._read(name)) is not None]

    def _read(self, name: str) -> _Stored | None:
        try:
            return read_model(self._folder / f"{name}.json", _Stored)
        except (OSError, DamagedFile):
            return None

    def _write(self, notice: _Stored) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._folder / f"{notice.id}.json", notice.model_dump(mode="json"))
        except OSError as failure:  # The log has it.
            _logger.warning("A notice could not be written: %s", failure)
