"""Records of runs on disk, and what their folders hold. Files are the only database."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.core.files import (
    NAME,
    child_path,
    read_tail,
    sweep_temporary,
    write_json,
)
from backend.errors import Invalid, NotFound
from backend.runs.follow import LOG, all_events
from backend.runs.legacy import (
    Damaged,
    is_legacy,
    is_newer,
    problem_summary,
    read_raw,
    to_record,
    to_summary,
)
from backend.runs.progress import Progress, thin_series
from backend.runs.rewards import SampleData
from backend.runs.schemas import Series, SessionRecord, SessionSummary
from backend.runs.state import ACTIVE

_LATEST = "latest.json"
_OLDEST = datetime.fromtimestamp(0, UTC)


class SessionStore:
    """`sessions/session_<id>.json`, `sessions/<id>/` and `sessions/latest.json`. Blocking.

    The list is kept in memory by file time and size, so a page costs one look at the folder.
    """

    def __init__(self, sessions_dir: Path, adapters_dir: Path) -> None:
        self.sessions_dir = sessions_dir
        self.adapters_dir = adapters_dir
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[tuple[int, int, int], SessionSummary]] = {}

    def open(self) -> None:
        """Make the folders, and clear away what a crash in the middle of a write left."""
        for folder in (self.sessions_dir, self.adapters_dir):
            folder.mkdir(parents=True, exist_ok=True)
        sweep_temporary(self.sessions_dir)

    # -- the list ---------------------------------------------------------------------------

    def page(self, limit: int, cursor: str | None) -> tuple[list[SessionSummary], str | None]:
        """Newest first. `cursor` is the session after which the page begins."""
        rows = self.summaries()
        start = 0
        if cursor is not None:
            ids = [row.session_id for row in rows]
            if cursor not in ids:
                raise NotFound(
                    f"There is no session {cursor[:120]!r} to go on from.",
                    hint="Start again without a cursor.",
                )
            start = ids.index(cursor) + 1
        chosen = [
            row.model_copy(update={"adapter_ready": self._adapter_ready(row)})
            for row in rows[start : start + limit]
        ]
        more = start + limit < len(rows)
        return chosen, (chosen[-1].session_id if more and chosen else None)

    def summaries(self) -> list[SessionSummary]:
        """Every session, newest first, damaged ones with their problem."""
        with self._lock:
            rows: dict[str, tuple[tuple[int, int, int], SessionSummary]] = {}
            for entry in self._entries():
                session_id = entry.name.removeprefix("session_").removesuffix(".json")
                try:
                    stat = entry.stat()
                    stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                except OSError:  # A dangling link, or deleted just now.
                    stamp = (0, 0, 0)
                known = self._rows.get(session_id)
                if known is None or known[0] != stamp:
                    known = (stamp, self._summarise(session_id, stamp[0]))
                rows[session_id] = known
            self._rows = rows
        found = [row for _, row in rows.values()]
        return sorted(found, key=lambda r: (r.timestamp or _OLDEST, r.session_id), reverse=True)

    def unfinished(self) -> list[str]:
        """Sessions whose record says that the run still lives, newest first."""
        return [row.session_id for row in self.summaries() if row.training_state in ACTIVE]

    # -- one record -------------------------------------------------------------------------

    def read(self, session_id: str) -> dict[str, Any]:
        """The record as it is on disk, with `legacy` set for one of the reference app."""
        raw = self._raw(session_id)
        return {**raw, "legacy": True} if is_legacy(raw) else raw

    def exists(self, session_id: str) -> bool:
        """Whether there is a record, damaged or not."""
        return self._record_path(session_id).exists()

    def record(self, session_id: str) -> SessionRecord:
        """The record, typed. Raises NotFound, or BadContent when it is damaged."""
        return to_record(self._raw(session_id), session_id)

    def save(self, record: SessionRecord) -> None:
        """Write the record. A damaged one, or one from a newer version, is never overwritten."""
        path = self._record_path(record.session_id)
        with self._lock:
            try:
                raw = read_raw(path)
            except FileNotFoundError:
                raw = {}
            if is_newer(raw):
                raise Damaged(f"{path.name} was written by a newer version and is left alone.")
            value = {**raw, **record.model_dump(mode="json")}
            value.pop("legacy", None)
            if raw and is_legacy(raw):
                value["legacy"] = True
            write_json(path, value)

    def latest(self) -> str | None:
        """The session of latest.json if it can be read, else the newest that can."""
        with suppress(Damaged, FileNotFoundError):
            name = read_raw(self.sessions_dir / _LATEST).get("latest_session_id")
            if isinstance(name, str) and self._loads(name):
                return name
        rows = self.summaries()
        return next((row.session_id for row in rows if self._loads(row.session_id)), None)

    def set_latest(self, session_id: str) -> None:
        write_json(self.sessions_dir / _LATEST, {"latest_session_id": session_id})

    def delete(self, session_id: str, *, files: bool) -> str | None:
        """Remove the record and the run folder; with `files`, also the adapter it wrote, whose
        name is answered.

        Links are removed, never followed. An adapter that another session has since written to
        (its lineage names that one) is kept. The caller makes sure that no run lives in it.
        """
        path = self._record_path(session_id, follow=False)
        folder = self.sessions_dir / session_id
        if not os.path.lexists(path) and not os.path.lexists(folder):
            raise self._unknown(session_id)
        adapter = self._own_adapter(session_id) if files else None
        with self._lock:
            path.unlink(missing_ok=True)
        _remove(folder)
        if adapter is not None:
            _remove(adapter)
        with suppress(Damaged, FileNotFoundError):
            latest = self.sessions_dir / _LATEST
            if read_raw(latest).get("latest_session_id") == session_id:
                latest.unlink()
        return adapter.name if adapter is not None else None

    # -- what a run folder holds ------------------------------------------------------------

    def folder(self, session_id: str) -> Path:
        """The run folder of a session, which need not exist."""
        try:
            return child_path(self.sessions_dir, session_id)
        except Invalid:
            raise self._unknown(session_id) from None

    def progress(self, session_id: str, *, total_steps: int | None = None) -> Progress:
        """The run's events, folded."""
        progress = Progress(total_steps=total_steps)
        try:
            events, _ = all_events(self.folder(session_id))
        except OSError as problem:
            raise Damaged(f"The events of {session_id} can't be read: {problem}.") from problem
        for event in events:
            progress.apply(event)
        return progress

    def series(self, session_id: str, since: int, max_points: int) -> Series:
        """The curves from step `since` on, spikes kept when thinned to `max_points`."""
        self._raw(session_id)
        return thin_series(self.progress(session_id).series(), max_points, since=since)

    def samples(self, session_id: str) -> list[SampleData]:
        """The last completions that the run made while training, oldest first."""
        self._raw(session_id)
        return list(self.progress(session_id).samples)

    def logs(self, session_id: str, limit: int, before: int | None) -> tuple[list[str], int | None]:
        """The last log lines before a position, and the position for those above; None at the top.

        Positions are opaque to the caller: they are bytes, so a huge log pages as fast as a small.
        """
        self._raw(session_id)
        try:
            lines, start = read_tail(self.folder(session_id) / LOG, limit, before=before)
        except OSError as problem:
            raise Damaged(f"The log of {session_id} can't be read: {problem}.") from problem
        return lines, start or None

    # -- helpers ----------------------------------------------------------------------------

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.sessions_dir) as found:
                return [entry for entry in found if _is_record(entry.name)]
        except FileNotFoundError:
            return []

    def _summarise(self, session_id: str, mtime_ns: int) -> SessionSummary:
        try:
            return to_summary(self._raw(session_id), session_id)
        except (Damaged, NotFound) as problem:
            changed = datetime.fromtimestamp(mtime_ns / 1e9, UTC)
            return problem_summary(session_id, problem.detail, changed)

    def _raw(self, session_id: str) -> dict[str, Any]:
        try:
            return read_raw(self._record_path(session_id))
        except FileNotFoundError:
            raise self._unknown(session_id) from None

    def _loads(self, session_id: str) -> bool:
        try:
            return bool(self.record(session_id))
        except (Damaged, NotFound):
            return False

    def _record_path(self, session_id: str, *, follow: bool = True) -> Path:
        if not NAME.fullmatch(session_id):
            raise self._unknown(session_id)
        name = f"session_{session_id}.json"
        if not follow:
            return self.sessions_dir / name
        try:
            return child_path(self.sessions_dir, name)
        except Invalid:
            raise self._unknown(session_id) from None

    def _adapter_ready(self, row: SessionSummary) -> bool:
        if not row.adapter_name or not NAME.fullmatch(row.adapter_name):
            return False
        try:
            return (self.adapters_dir / row.adapter_name / "adapters.safetensors").is_file()
        except OSError:  # Nobody may look into the folder.
            return False

    def _own_adapter(self, session_id: str) -> Path | None:
        """The adapter folder that this session wrote, if it is inside ours and still its own."""
        try:
            raw = self._raw(session_id)
        except (Damaged, NotFound):
            return None
        name = to_summary(raw, session_id).adapter_name
        if name is None or not NAME.fullmatch(name):
            return None
        folder = self.adapters_dir / name
        try:
            lineage = read_raw(folder / "droid.json")
        except (Damaged, FileNotFoundError):
            return None
        return folder if lineage.get("session_id") == session_id else None

    def _unknown(self, session_id: str) -> NotFound:
        return NotFound(
            f"There is no session {session_id[:120]!r}.",
            hint="GET /sessions lists them all.",
        )


def _is_record(name: str) -> bool:
    return (
        name.startswith("session_")
        and name.endswith(".json")
        and NAME.fullmatch(name.removeprefix("session_").removesuffix(".json")) is not None
    )


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
