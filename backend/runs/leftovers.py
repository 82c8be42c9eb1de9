"""What a server that was killed while it prepared a run left: settled when the next one opens."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from backend.core.process import find_marked
from backend.core.stored_files import read_yaml
from backend.errors import AppError
from backend.runs.follow import CONFIG, LOG
from backend.runs.reserve import set_aside, settle
from backend.runs.store import SessionStore

_logger = logging.getLogger(__name__)


def settle_leftovers(store: SessionStore, *, live: str | None) -> None:
    """Put replaced adapters back or away, and remove run folders that never became a run.

    Removed is only what this app began and nobody heard of: a folder named by a session id, with
    no record, no log of an engine and no process. `live` is the run that goes on. Blocking.
    """
    for session_id in set_aside(store.adapters_dir):
        if session_id != live and find_marked(session_id) is None:
            _try(_settle, store, session_id)
    for folder in _never_begun(store):
        if folder.name != live and find_marked(folder.name) is None:
            _try(_remove, store, folder.name)


def _settle(store: SessionStore, session_id: str) -> None:
    adapter = _adapter_of(store, session_id)
    if adapter is None:
        _logger.warning(
            "%s/.replaced-%s is an adapter that a run set aside; which one is not known any more, "
            "so it is left there.", store.adapters_dir, session_id,
        )  # fmt: skip
        return
    settle(adapter, session_id)
    _logger.info("The adapter %s, which %s had set aside, is settled.", adapter.name, session_id)


def _remove(store: SessionStore, session_id: str) -> None:
    adapter = _adapter_of(store, session_id)
    if adapter is not None:
        with suppress(OSError):  # Only if it is empty: then it was made for this run.
            adapter.rmdir()
    shutil.rmtree(store.folder(session_id))
    _logger.info("The folder of %s, which never began, was removed.", session_id)


def _adapter_of(store: SessionStore, session_id: str) -> Path | None:
    """The adapter folder that a session writes to, by its record or its configuration."""
    try:
        if store.exists(session_id):
            named = store.record(session_id).adapter_path
            found = Path(named).parent if named else None
        else:
            config = read_yaml(store.folder(session_id) / CONFIG)
            found = Path(str(config["adapter_path"]))
    except (AppError, OSError, KeyError, TypeError):
        return None
    return found if found is not None and found.parent == store.adapters_dir else None


def _never_begun(store: SessionStore) -> list[Path]:
    return [
        folder
        for folder in store.sessions_dir.iterdir()
        if _is_session_id(folder.name)
        and folder.is_dir()
        and not folder.is_symlink()
        and not store.exists(folder.name)
        and not (folder / LOG).exists()
    ]


def _is_session_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _try(work: Callable[[SessionStore, str], None], store: SessionStore, session_id: str) -> None:
    try:
        work(store, session_id)
    except OSError:  # One bad folder must not keep the server from starting.
        _logger.exception("What %s left behind could not be settled.", session_id)
