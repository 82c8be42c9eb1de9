"""Removal of folders as a whole: what can't be removed completely is not removed at all."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

_PREFIX = ".deleted-"
_logger = logging.getLogger(__name__)


def remove_whole(paths: Sequence[Path]) -> None:
    """Remove files, folders and links (never what a link leads to), all of them or none.

    They are first renamed out of sight, which needs no free space and can be taken back. Raises
    OSError; then each of them is where it was. What is left of a folder after its renaming (the
    disk failed just then) goes when a server opens the data root: `sweep_removed`.
    """
    there = [path for path in paths if os.path.lexists(path)]
    for path in there:
        _require_removable(path)
    hidden: list[tuple[Path, Path]] = []
    try:
        for path in there:
            aside = path.with_name(f"{_PREFIX}{secrets.token_hex(8)}")
            path.rename(aside)
            hidden.append((path, aside))
    except OSError as problem:
        for path, aside in reversed(hidden):
            aside.rename(path)
        problem.filename2 = None  # The hidden name says nothing to anybody.
        raise
    for _, aside in hidden:
        _purge(aside)


def sweep_removed(folder: Path) -> int:
    """Remove what an interrupted removal left in `folder`; answers how many there were."""
    left = list(folder.glob(f"{_PREFIX}*"))
    for path in left:
        _purge(path)
    return len(left)


def _require_removable(path: Path) -> None:
    """Raise PermissionError for a folder, at any depth, whose entries may not be removed."""
    if path.is_symlink() or not path.is_dir():
        return
    for folder, names, _ in os.walk(path):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        names[:] = [name for name in names if not Path(folder, name).is_symlink()]


def _purge(path: Path) -> None:
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)
    except OSError as problem:
        _logger.warning("%s is left of something that was deleted: %s", path, problem)
