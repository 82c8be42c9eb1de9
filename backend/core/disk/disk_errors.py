"""Errors of the file system as refusals: a full, read-only, locked or vanished disk is no bug."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.disk.files import format_bytes
from backend.errors import AppError, DiskUnusable, FieldProblem, NoDiskSpace

LOW_SPACE = 100_000_000  # Bytes free below which the disk counts as almost full.

_logger = logging.getLogger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # The last: the user's own limit.
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ESTALE})
_ELSEWHERE = "or set DROID_DATA_DIR to a folder on another disk."
# OSErrors that are about a socket, a child or a wait.
_NOT_FILES = (ConnectionError, TimeoutError, BlockingIOError, ChildProcessError, InterruptedError)


def is_full(problem: OSError) -> bool:
    """Whether the disk, or the user's quota on it, has no room left."""
    return problem.errno in _FULL


def require_room(
    place: Path, needed: int, *, what: str, hint: str, field: str | None = None
) -> None:
    """Raise NoDiskSpace unless the disk of `place` holds `needed` bytes. `what` begins its sentence
    ("The export needs"), `field` is that of the request which is to be changed.
    """
    free = shutil.disk_usage(place).free
    if needed > free:
        text = f"{what} {format_bytes(needed)} and the disk has {format_bytes(free)} free."
        errors = [FieldProblem(field, text)] if field is not None else []
        raise NoDiskSpace(text, hint=hint, errors=errors)


def disk_refusal(problem: OSError, place: Path | None = None) -> AppError | None:
    """The refusal that an OSError means: NoDiskSpace or DiskUnusable, with the path and a remedy.

    `place` is named where the error itself names no path. None if no file is concerned: a bug.
    """
    filename = problem.filename
    if isinstance(problem, _NOT_FILES) or problem.errno is None:
        return None
    if filename is None and place is None and problem.errno not in _FULL | {errno.EROFS, errno.EIO}:
        return None
    where = "a file" if place is None else f"a file in {place}"
    if isinstance(filename, str | bytes | os.PathLike):
        where = os.fsdecode(filename)
    if is_full(problem):
        return NoDiskSpace(
            f"The disk is full: {where} could not be written.",
            hint=f"Free some space, for example by deleting old sessions or adapters, {_ELSEWHERE}",
        )
    if problem.errno == errno.EROFS:
        return DiskUnusable(
            f"The disk is read-only: {where} could not be written.",
            hint=f"Make it writable, {_ELSEWHERE}",
        )
    if problem.errno in _DENIED:
        return DiskUnusable(
            f"Access to {where} is denied: {problem.strerror}.",
            hint=f"Check the folder's owner and permissions, {_ELSEWHERE}",
        )
    if problem.errno in _GONE:
        return DiskUnusable(
            f"{where[:1].upper()}{where[1:]} no longer exists: {problem.strerror}.",
            hint="Check that the disk is connected, then try again.",
        )
    return DiskUnusable(
        f"{where[:1].upper()}{where[1:]} could not be read or written: {problem.strerror}.",
        hint="Check the disk, then try again.",
    )


def full_refusal(problem: OSError, place: Path | None = None) -> AppError | None:
    """NoDiskSpace where the disk is full; None for what a caller has its own words for."""
    return disk_refusal(problem, place) if is_full(problem) else None


def warn_of_full_disk(folder: Path) -> None:
    """Say in the log that the disk is almost full, and what can be done about it."""
    free = shutil.disk_usage(folder).free
    if free < LOW_SPACE:
        _logger.warning(
            "The disk of %s is almost full: %s are free. Runs and answers can't be saved; delete "
            "old sessions or adapters, which works on a full disk too.", folder, format_bytes(free),
        )  # fmt: skip


@contextmanager
def disk_refusals(place: Path) -> Iterator[None]:
    """Raise the OSErrors of this block as refusals, where a caller expects nothing else."""
    try:
        yield
    except OSError as problem:
        refusal = disk_refusal(problem, place)
        if refusal is None:
            raise
        raise refusal from problem
