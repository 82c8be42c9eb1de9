"""Records of runs on disk, and what their folders hold. Files are the only database."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from backend.contract.run.folder import LATEST, LOG
from backend.core.disk.files import NAME, child_path, read_tail, sweep_temporary, write_json
from backend.core.disk.removal import (
    Doomed,
    NotRemoved,
    named,
    refusal,
    remove,
    remove_all,
    sweep_removed,
)
from backend.core.disk.trash import Trash
from backend.errors import Invalid, NotFound
from backend.jobs.run.follower import FoldedEvents, fold_events
from backend.jobs.run.legacy_records import (
    Damaged,
    is_legacy,
    merge_record,
    problem_summary,
    read_raw,
    refuse_newer,
    search_text,
    to_record,
    to_summary,
)
from backend.jobs.run.ownership import is_run_folder, names_session
from backend.jobs.run.progress import RunProgress, thin_series
from backend.jobs.run.reward_numbers import SampleData
from backend.jobs.run.schemas import (
    Alert,
    Series,
    SessionChange,
    SessionChoices,
    SessionPage,
    SessionRecord,
    SessionSummary,
)
from backend.jobs.run.session_index import SessionIndex
from backend.jobs.run.session_order import Row, Stamp, in_order, number_of
from backend.jobs.run.session_query import SessionQuery, choices, rows_after, select
from backend.jobs.run.state import ACTIVE

_LATEST = "latest.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedSession:
    """What went with a session: its `adapter`. `undo` is its id in the trash, where it is there."""

    adapter: str | None = None
    undo: str | None = None


class SessionStore:
    """`sessions/session_<id>.json`, `sessions/<id>/` and `sessions/latest.json`. Blocking. An index
    keeps the list, in the file `index` too if that is given.
    """

    def __init__(
        self, sessions_dir: Path, adapters_dir: Path, *, index: Path | None = None
    ) -> None:
        self.sessions_dir = sessions_dir
        self.adapters_dir = adapters_dir
        self._lock = threading.RLock()  # Re-entered to number a record.
        self._index = SessionIndex(sessions_dir, self._summarise, index)
        self._events = FoldedEvents()
        self._choices: tuple[Sequence[Row], SessionChoices] = ((), choices(()))
        self._unsaved: dict[str, SessionRecord] = {}  # What no disk had room for yet.

    def open(self) -> None:
        """Make the folders, and clear away what a crash in the middle of a write left."""
        for folder in (self.sessions_dir, self.adapters_dir):
            folder.mkdir(parents=True, exist_ok=True)
            sweep_removed(folder)
        sweep_temporary(self.sessions_dir)
        self._index.open()

    def close(self) -> None:
        """Write the index, for a quick next start."""
        self._index.close()

    # -- the list ---------------------------------------------------------------------------

    def page(
        self, limit: int, cursor: str | None, query: SessionQuery | None = None
    ) -> SessionPage:
        """Newest first unless asked otherwise. `cursor` is the session after which it begins."""
        asked = query or SessionQuery()
        rows = self._listed()
        matching = select(rows, asked)
        rest = matching if cursor is None else rows_after(rows, asked, cursor)
        if rest is None:
            raise NotFound(
                f"There is no session {str(cursor)[:120]!r} to list from.",
                hint="Start again without a cursor.",
            )
        shown = [
            row.summary.model_copy(update={"adapter_ready": self._adapter_ready(row.summary)})
            for row in rest[:limit]
        ]
        return SessionPage(
            sessions=shown,
            next_cursor=shown[-1].session_id if shown and len(rest) > limit else None,
            matching=len(matching),
            total=len(rows),
            choices=self._choices_of(rows),
        )

    def _folded(self, session_id: str, view: Callable[[RunProgress], T]) -> T:
        try:
            return self._events.read(self.folder(session_id), view)
        except OSError as problem:
            raise Damaged(f"The events of {session_id} can't be read: {problem}.") from problem

    def _choices_of(self, rows: Sequence[Row]) -> SessionChoices:
        if self._choices[0] is not rows:  # The index answers the same ones until one changes.
            self._choices = (rows, choices(rows))
        return self._choices[1]

    def summaries(self) -> list[SessionSummary]:
        """Every session, newest first, damaged ones with their problem."""
        return [row.summary for row in self._listed()]

    def _listed(self) -> Sequence[Row]:
        """Every session as a row, newest first, also those that no disk had room for yet."""
        rows = self._index.rows()
        with self._lock:
            waiting = list(self._unsaved)
        if not waiting:
            return rows
        others = [row for row in rows if row.summary.session_id not in waiting]
        return in_order([*others, *(self._summarise(one, (0, 0, 0)) for one in waiting)])

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
        return session_id in self._unsaved or self._record_path(session_id).exists()

    def record(self, session_id: str) -> SessionRecord:
        """The record, typed. Raises NotFound, or BadContent when it is damaged."""
        return to_record(self._raw(session_id), session_id)

    def save(self, record: SessionRecord) -> None:
        """Write the record. A damaged one, or one from a newer version, is never overwritten."""
        with self._lock:
            self._write(record)

    def describe(self, session_id: str, change: SessionChange) -> None:
        """Change what the user says of a session. All else in its file stays as it is.

        Raises NotFound, or BadContent for a damaged record or one of a newer version.
        """
        with self._lock:
            unsaved = self._unsaved.get(session_id)
            if unsaved is not None:
                self._unsaved[session_id] = unsaved.model_copy(update=change.values())
                return
            path = self._record_path(session_id)
            raw = self._raw(session_id)
            refuse_newer(raw, path)
            write_json(path, raw | change.values())

    def adapter_bytes(self, session_id: str) -> int | None:
        """The size of the newest weights that it wrote; None where they are not its own."""
        adapter = self._own_adapter(session_id)
        try:
            return (adapter / LATEST).stat().st_size if adapter is not None else None
        except OSError:
            return None

    def save_later(self, record: SessionRecord) -> None:
        """Show the record from now on, though it could not be written; `save_pending` writes it."""
        with self._lock:
            self._unsaved[record.session_id] = record

    def save_pending(self) -> bool:
        """Write the records that are shown but not on disk. Raises OSError while that fails.

        Answers whether there are none left; a session deleted meanwhile is not written again.
        """
        with self._lock:
            for session_id, record in list(self._unsaved.items()):
                try:
                    self._write(record)
                except Damaged:  # Its file is another's by now, and left alone.
                    del self._unsaved[session_id]
        return not self._unsaved

    def _write(self, record: SessionRecord) -> None:
        path = self._record_path(record.session_id)
        try:
            raw = read_raw(path)
        except FileNotFoundError:
            raw = {}
        refuse_newer(raw, path)
        number = raw.get("number") if raw else self._next_number()
        write_json(path, merge_record(raw, record) | {"number": number})
        self._unsaved.pop(record.session_id, None)

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

    def delete(self, session_id: str, *, files: bool, trash: Trash | None = None) -> DeletedSession:
        """Remove the record and the run folder; with `files`, also the adapter it wrote. Without
        `files` they go to the `trash`, if one is given: an adapter is large, so its space is freed.

        All of it goes or, with an OSError, nothing. Links are removed, never followed. An adapter
        that another session has since written to (its lineage names that one) is kept. The caller
        makes sure that no run lives in it.
        """
        path = self._record_path(session_id, follow=False)
        folder = self.sessions_dir / session_id
        if not os.path.lexists(path) and not os.path.lexists(folder):
            raise self._unknown(session_id)
        adapter = self._own_adapter(session_id) if files else None
        reason = refusal(folder, inside=self.sessions_dir, own=is_run_folder, link=True)
        if reason is not None:
            raise NotRemoved(
                f"Session {session_id} is not deleted: {folder} is left alone, because {reason}.",
                hint="Move that folder away, then delete the session.",
            )
        with self._lock:
            doomed = [
                Doomed(path, self.sessions_dir, named(path.name)),
                Doomed(folder, self.sessions_dir, is_run_folder),
                *(
                    [Doomed(adapter, self.adapters_dir, names_session(session_id))]
                    if adapter
                    else []
                ),
            ]
            undo = trash.put(doomed, link=True) if trash is not None and not files else None
            if undo is None:
                remove_all(doomed, link=True)
            self._unsaved.pop(session_id, None)
        with suppress(Damaged, FileNotFoundError):
            if read_raw(self.sessions_dir / _LATEST).get("latest_session_id") == session_id:
                remove(self.sessions_dir / _LATEST, inside=self.sessions_dir, own=named(_LATEST))
        return DeletedSession(adapter=adapter.name if adapter is not None else None, undo=undo)

    # -- what a run folder holds ------------------------------------------------------------

    def folder(self, session_id: str) -> Path:
        """The run folder of a session, which need not exist."""
        try:
            return child_path(self.sessions_dir, session_id)
        except Invalid:
            raise self._unknown(session_id) from None

    def mark(self, session_id: str) -> str:
        """What every process of this run carries: its real folder, so that a copy of the data root
        never takes the run of the original for its own.
        """
        return str(self.folder(session_id).resolve())

    def progress(self, session_id: str, *, total_steps: int | None = None) -> RunProgress:
        """The run's events, folded."""
        progress = RunProgress(total_steps=total_steps)
        try:
            fold_events(self.folder(session_id), progress)
        except OSError as problem:
            raise Damaged(f"The events of {session_id} can't be read: {problem}.") from problem
        return progress

    def series(self, session_id: str, since: int, max_points: int) -> Series:
        """The curves from step `since` on, spikes kept when thinned to `max_points`."""
        self._raw(session_id)
        return thin_series(self._folded(session_id, RunProgress.series), max_points, since=since)

    def samples(self, session_id: str) -> list[SampleData]:
        """The last completions of rows, then the answers to the sample prompts, oldest first."""
        self._raw(session_id)
        return self._folded(session_id, lambda progress: progress.samples)

    def alerts(self, record: SessionRecord) -> list[Alert]:
        """What the run had to tell, oldest first. Records from before health have none: then it is
        what the run itself warned of.
        """
        return record.alerts or self._folded(
            record.session_id, lambda progress: list(progress.alerts)
        )

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

    def _summarise(self, session_id: str, stamp: Stamp) -> Row:
        try:
            raw = self._raw(session_id)
            summary = to_summary(raw, session_id)
            return Row(stamp, summary, number_of(raw), search_text(raw, summary))
        except (Damaged, NotFound) as problem:
            changes = datetime.fromtimestamp(stamp[0] / 1e9, UTC)
            summary = problem_summary(session_id, problem.detail, changes)
            return Row(stamp, summary, None, search_text({}, summary))

    def _next_number(self) -> int:
        return 1 + max((row.number or 0 for row in self._index.rows()), default=0)

    def _raw(self, session_id: str) -> dict[str, Any]:
        unsaved = self._unsaved.get(session_id)
        try:
            raw = read_raw(self._record_path(session_id))
        except FileNotFoundError:
            if unsaved is None:
                raise self._unknown(session_id) from None
            raw = {}
        return merge_record(raw, unsaved) if unsaved is not None else raw

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
            return (self.adapters_dir / row.adapter_name / LATEST).is_file()
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
        return folder if names_session(session_id)(folder) else None

    def _unknown(self, session_id: str) -> NotFound:
        return NotFound(
            f"There is no session {session_id[:120]!r}.",
            hint="GET /sessions lists them all.",
        )
