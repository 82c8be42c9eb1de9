"""What a server that was killed while it prepared a run left: settled when the next one opens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from backend.contract.run.folder import CONFIG, LOG
from backend.core.disk.removal import remove
from backend.core.disk.stored_files import read_yaml
from backend.core.process import find_marked
from backend.errors import AppError
from backend.jobs.adapter_reservation import replaces, settle, unsettled
from backend.jobs.run.events import Exit
from backend.jobs.run.ownership import is_session_id
from backend.jobs.run.store import SessionStore

_BACK = " The earlier adapter is back; continue this session to go on from what it saved itself."
_logger = logging.getLogger(__name__)


def settle_leftovers(store: SessionStore, *, live: str | None) -> None:
    """Put replaced adapters back or away, and remove run folders that never became a run.

    Removed is only what this app began and nobody heard of: a folder named by a session id, with
    no record, no log of an engine and no process. `live` is the run that goes on. Blocking.
    """
    for session_id in unsettled(store.adapters_dir):
        if session_id != live and find_marked(store.mark(session_id)) is None:
            _try(_settle, store, session_id)
    for folder in _never_begun(store):
        if folder.name != live and find_marked(store.mark(folder.name)) is None:
            _try(_remove, store, folder.name)


def settle_run(
    store: SessionStore, session_id: str, adapter_path: str | None, exit_: Exit | None
) -> str:
    """Settle the adapter folder of a run that has ended; a sentence if an earlier adapter is back.

    The record's path is only ever read as a name: one that leads elsewhere is no folder of ours.
    """
    name = _own_name(store, Path(adapter_path).parent) if adapter_path else None
    try:
        back = settle(store.adapters_dir, name, session_id, replaced=replaces(exit_))
    except (OSError, AppError) as problem:
        _logger.warning("The adapter folder of %s could not be tidied: %s", session_id, problem)
        return ""
    return _BACK if back else ""


def _settle(store: SessionStore, session_id: str) -> None:
    has_record = store.exists(session_id)
    exit_ = store.progress(session_id).exit if has_record else None
    if settle(
        store.adapters_dir, _adapter_of(store, session_id), session_id, replaced=replaces(exit_)
    ):
        _logger.info("The adapter that %s had set aside is back.", session_id)


def _remove(store: SessionStore, session_id: str) -> None:
    settle(store.adapters_dir, _adapter_of(store, session_id), session_id, replaced=False)
    remove(
        store.folder(session_id),
        inside=store.sessions_dir,
        own=lambda folder: is_session_id(folder.name) and not (folder / LOG).exists(),
    )
    _logger.info("The folder of %s, which never began, was removed.", session_id)


def _adapter_of(store: SessionStore, session_id: str) -> str | None:
    """The name of the adapter that a session writes, by its record or its configuration."""
    try:
        if store.exists(session_id):
            recorded = store.record(session_id).adapter_path
            return _own_name(store, Path(recorded).parent) if recorded else None
        config = read_yaml(store.folder(session_id) / CONFIG)
        return _own_name(store, Path(str(config["adapter_path"])))
    except (AppError, OSError, KeyError, TypeError):
        return None


def _own_name(store: SessionStore, adapter: Path) -> str | None:
    """The folder's name, if it lies directly in our adapters folder."""
    return adapter.name if adapter.parent == store.adapters_dir else None


def _never_begun(store: SessionStore) -> list[Path]:
    with os.scandir(store.sessions_dir) as entries:
        there = {entry.name: entry for entry in entries}
    return [
        Path(entry.path)
        for name, entry in there.items()
        if not name.startswith("session_")
        and f"session_{name}.json" not in there  # Most have one, among ten thousand.
        and is_session_id(name)
        and entry.is_dir(follow_symlinks=False)
        and not store.exists(name)
        and not (Path(entry.path) / LOG).exists()
    ]


def _try(work: Callable[[SessionStore, str], None], store: SessionStore, session_id: str) -> None:
    try:
        work(store, session_id)
    except (OSError, AppError):  # One bad folder must not keep the server from starting.
        _logger.exception("What %s left behind could not be settled.", session_id)
