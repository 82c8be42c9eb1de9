"""The adapter folder of a run: taken before it starts, settled when it has ended.

A folder belongs to the session that its `droid.json` names, or its mark before the engine has
written that. Of an adapter that is overwritten nothing is lost until the new one is there: it waits
in `.replaced-<session>.<name>`, and comes back as it was unless the run ends as one that replaces.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

from backend.contract.run.folder import LINEAGE
from backend.core.disk.files import NAME, sync_folder
from backend.core.disk.removal import Proof, named, remove, remove_empty
from backend.core.disk.stored_files import DamagedFile, read_object, read_text
from backend.errors import AlreadyExists
from backend.jobs.run.events import Exit

MARK = ".session"

_NEW = ".new-"
_ASIDE = ".replaced-"
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}
_logger = logging.getLogger(__name__)


def reserve(adapter: Path, session_id: str, *, overwrite: bool) -> None:
    """Create the adapter's folder for this run, marked as its own from the first moment on.

    Raises AlreadyExists if there is one, unless it may be overwritten: then the old one is set
    aside until `settle`.
    """
    folder = adapter.parent
    folder.mkdir(parents=True, exist_ok=True)
    there = os.path.lexists(adapter)
    if there and not overwrite:
        raise _there_is(adapter.name)
    new, aside = folder / f"{_NEW}{session_id}", folder / f"{_ASIDE}{session_id}.{adapter.name}"
    new.mkdir()
    try:
        (new / MARK).write_text(session_id, encoding="utf-8")
        if there:
            adapter.rename(aside)
        try:
            new.rename(adapter)
        except OSError:
            if there:
                aside.rename(adapter)
            raise
    except OSError as problem:
        remove(new, inside=folder, own=_made_by(session_id))
        if problem.errno in _TAKEN:  # Somebody else was faster.
            raise _there_is(adapter.name) from None
        raise
    sync_folder(folder)


def replaces(exit_: Exit | None) -> bool:
    """Whether a run that ended so gives up the adapter that it overwrites: only one that completed,
    or that was stopped and saved. A run of an earlier version did not say whether it saved.
    """
    if exit_ is None:
        return False
    return exit_.state == "completed" or (exit_.state == "stopped" and exit_.saved is not False)


def settle(adapters_dir: Path, name: str | None, session_id: str, *, replaced: bool) -> bool:
    """After the run: drop the adapter it replaced, or put that back; answers whether it is back.

    `name` is that of the run's adapter as far as it is known. What this session did not make, and
    an empty folder, is left alone. Safe to repeat, from whatever point it was killed at.
    """
    remove(adapters_dir / f"{_NEW}{session_id}", inside=adapters_dir, own=_made_by(session_id))
    aside = _aside_of(adapters_dir, session_id)
    name = (aside and _name_in(aside)) or name
    if name is None or not NAME.fullmatch(name):
        if aside is not None:
            _logger.warning(
                "%s is an adapter that a run set aside; which one is not known any more, so it is "
                "left there.", aside,
            )  # fmt: skip
        return False
    adapter = adapters_dir / name
    mine = is_of(adapter, session_id)
    whole = mine and any(adapter.glob("*.safetensors"))
    if whole and (adapter / LINEAGE).is_file():  # From here on that says whose it is.
        remove(adapter / MARK, inside=adapter, own=named(MARK))
    if aside is None:
        if mine and not whole:
            remove(adapter, inside=adapters_dir, own=_made_by(session_id))
    elif whole and replaced:
        remove(aside, inside=adapters_dir, own=named(rf"{_ASIDE}{session_id}(\..+)?"), link=True)
    else:
        return _put_back(aside, adapter, session_id, mine=mine)
    return False


def _put_back(aside: Path, adapter: Path, session_id: str, *, mine: bool) -> bool:
    if mine:
        remove(adapter, inside=adapter.parent, own=_made_by(session_id))
    elif os.path.lexists(adapter) and (adapter.is_symlink() or not remove_empty(adapter)):
        _logger.warning("%s is left, because %s is not of its session.", aside, adapter)
        return False
    aside.rename(adapter)
    sync_folder(adapter.parent)
    return True


def is_of(adapter: Path, session_id: str) -> bool:
    """Whether that session made the adapter folder, which is no link."""
    if adapter.is_symlink() or not adapter.is_dir():
        return False
    try:
        lineage = read_object(adapter / LINEAGE)
    except FileNotFoundError:
        return _mark_of(adapter) == session_id
    except DamagedFile:
        return False
    return lineage.get("session_id") == session_id


def unsettled(adapters_dir: Path) -> set[str]:
    """The sessions that took or set aside an adapter and have not settled it."""
    names = [path.name for path in adapters_dir.glob(f"{_ASIDE}*")]
    begun = [path.name.removeprefix(_NEW) for path in adapters_dir.glob(f"{_NEW}*")]
    return {name.removeprefix(_ASIDE).partition(".")[0] for name in names} | set(begun)


def _made_by(session_id: str) -> Proof:
    return lambda path: is_of(path, session_id)


def _mark_of(adapter: Path) -> str | None:
    try:
        return read_text(adapter / MARK)
    except (OSError, DamagedFile):
        return None


def _aside_of(adapters_dir: Path, session_id: str) -> Path | None:
    folders = adapters_dir.glob(f"{_ASIDE}{session_id}*")
    return next(iter(sorted(folders)), None)


def _name_in(aside: Path) -> str | None:
    """The adapter's name, which one that an earlier version set aside does not carry."""
    return aside.name.removeprefix(_ASIDE).partition(".")[2] or None


def _there_is(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"There is already an adapter {name!r}.",
        hint="Choose another name, or turn on Overwrite.",
    )
