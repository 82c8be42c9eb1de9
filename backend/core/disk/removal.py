"""Removal: the only door through which anything of a disk is removed, a thing of our own at a time.

Nothing goes by what a file says alone: the caller names the folder that the thing lies in directly,
and a proof that this app made it. Links, mounts, the working directory and whatever holds it, a
home folder and what nobody can prove to be ours are refused and left alone. A folder first gets a
name that marks it as removed, so that a crash leaves the whole of it or nothing of it.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backend.errors import WrongState
from backend.settings import CHECKOUT

Proof = Callable[[Path], bool]  # Whether this app made the thing at that path.

_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8}|[0-9a-f]+\.tmp)", re.DOTALL)
_REMOVED = re.compile(r"\..+\.[0-9a-f]{16}\.removed", re.DOTALL)
_logger = logging.getLogger(__name__)


class NotRemoved(WrongState):
    """It was left alone; says why."""


def named(pattern: str | re.Pattern[str]) -> Proof:
    """The proof of a name that only this app gives, in a folder that only this app fills."""
    return lambda path: re.fullmatch(pattern, path.name) is not None


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file or folder to remove, the folder that it lies in directly, and the proof it is ours."""

    path: Path
    inside: Path
    own: Proof


def remove(path: Path, *, inside: Path, own: Proof, link: bool = False) -> bool:
    """Remove a file or a folder with all that is in it; False when there is none.

    `path` must lie directly in `inside`, and `own` must prove that it is ours. With `link`, a link
    there is removed itself and never followed. Raises as `remove_all`.
    """
    return remove_all([Doomed(path, inside, own)], link=link) > 0


def remove_all(doomed: Sequence[Doomed], *, link: bool = False) -> int:
    """Remove all of them or none, as `remove` does each; how many there were.

    They are first renamed out of sight, which needs no free space and can be taken back. Raises
    NotRemoved or OSError, and then each of them is where it was. What is left of a folder after
    that (the disk failed just then) goes at the next start: `sweep_removed`.
    """
    for one in doomed:
        reason = refusal(one.path, inside=one.inside, own=one.own, link=link)
        if reason is not None:
            raise NotRemoved(
                f"{one.path} is not removed: {reason}.",
                hint="Look at it, and remove it yourself if it is not needed.",
            )
    there = [one.path for one in doomed if os.path.lexists(one.path)]
    if len(there) == 1 and (there[0].is_symlink() or not there[0].is_dir()):
        there[0].unlink()  # Whole by itself.
        return 1
    for path in there:
        _require_removable(path)
    hidden: list[tuple[Path, Path]] = []
    try:
        for path in there:
            aside = path.with_name(f".{path.name.lstrip('.')[:200]}.{secrets.token_hex(8)}.removed")
            path.rename(aside)
            hidden.append((path, aside))
    except OSError as problem:
        for path, aside in reversed(hidden):
            aside.rename(path)
        problem.filename2 = None  # The hidden name says nothing to anybody.
        raise
    for _, aside in hidden:
        _purge(aside)
    return len(there)


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
        _logger.warning("%s is left of something that was removed: %s", path, problem)


def remove_empty(folder: Path) -> bool:
    """Remove a folder with nothing in it, which loses nothing; False where that can't be done."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def discard(temporary: Path) -> None:
    """Remove a temporary file or folder of the caller's own; what can't be removed is swept later.

    Raises NotRemoved for a name that no temporary one has.
    """
    if not _TEMPORARY.fullmatch(temporary.name):
        raise NotRemoved(f"{temporary} is not removed: it is not named like a temporary file.")
    with suppress(OSError):
        if temporary.is_dir() and not temporary.is_symlink():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def sweep_removed(folder: Path) -> int:
    """Finish removals in `folder` that a crash cut short; how many there were."""
    swept = 0
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a path for each of ten thousand takes long
    except OSError:
        return 0
    for name in names:
        if _REMOVED.fullmatch(name) is None:
            continue
        path = folder / name
        if path.is_symlink() or not path.is_dir() or _why_precious(path) is None:
            _purge(path)
            swept += 1
    return swept


def refusal(path: Path, *, inside: Path, own: Proof, link: bool = False) -> str | None:
    """Why `remove` would leave it alone; None if it would not, or if there is nothing."""
    if path.name in {"", ".."} or path.parent.resolve() != inside.resolve():
        return f"it does not lie directly in {inside}"
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(kind):
        return None if link else "it is a link"
    if stat.S_ISDIR(kind) and (reason := _why_precious(path)) is not None:
        return reason
    return None if own(path) else "nothing proves that this app made it"


def _why_precious(folder: Path) -> str | None:
    """Why a folder must stay whatever else is true of it."""
    real = folder.resolve()
    for what, place in _precious():
        if place.is_relative_to(real):
            return f"it holds {what} ({place})"
    device = real.lstat().st_dev
    if device != real.parent.lstat().st_dev:
        return "it is the root of another disk"
    if any(mount.is_relative_to(real) for mount in _mounts()):
        return "something is mounted in it"
    for at, folders, _ in os.walk(real):
        for name in folders:
            with suppress(OSError):
                if (Path(at) / name).lstat().st_dev != device:
                    return f"another disk is mounted in it, at {Path(at) / name}"
    return None


def _precious() -> Iterator[tuple[str, Path]]:
    yield "the program", CHECKOUT.resolve()
    with suppress(OSError):
        yield "the working directory", Path.cwd()
    with suppress(OSError, RuntimeError):
        yield "your home folder", Path.home().resolve()


def _mounts() -> list[Path]:
    """Linux: also those that bind a folder of the same disk, which no device number shows."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [
        Path(_plain(fields[4])) for line in lines.splitlines() if len(fields := line.split()) > 4
    ]


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
