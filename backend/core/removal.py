"""Removal: the only door through which anything of a disk is removed, a thing of our own at a time.

Nothing goes by what a file says alone: the caller names the folder that the thing lies in directly,
and a proof that this app made it. Links, mounts, the working directory and whatever holds it, a
home folder and what nobody can prove to be ours are refused and left alone. A folder first gets a
name that marks it as removed, so that a crash leaves the whole of it or nothing of it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from backend.errors import WrongState
from backend.settings import CHECKOUT

Proof = Callable[[Path], bool]  # Whether this app made the thing at that path.

_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8}|[0-9a-f]+\.tmp)", re.DOTALL)
_REMOVED = re.compile(r"\..+\.[0-9a-f]{16}\.removed", re.DOTALL)


class NotRemoved(WrongState):
    """It was left alone; says why."""


def named(pattern: str | re.Pattern[str]) -> Proof:
    """The proof of a name that only this app gives, in a folder that only this app fills."""
    return lambda path: re.fullmatch(pattern, path.name) is not None


def remove(path: Path, *, inside: Path, own: Proof, link: bool = False) -> bool:
    """Remove a file or a folder with all that is in it; False when there is none.

    `path` must lie directly in `inside`, and `own` must prove that it is ours. With `link`, a link
    there is removed itself and never followed. Raises NotRemoved, and then nothing has changed;
    or OSError, and then what is left of a folder goes at the next start (`sweep_removed`).
    """
    reason = refusal(path, inside=inside, own=own, link=link)
    if reason is not None:
        raise NotRemoved(
            f"{path} is not removed: {reason}.",
            hint="Look at it, and remove it yourself if it is not needed.",
        )
    if not os.path.lexists(path):
        return False
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return True
    doomed = path.with_name(f".{path.name.lstrip('.')[:200]}.{secrets.token_hex(8)}.removed")
    path.rename(doomed)
    shutil.rmtree(doomed)
    return True


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
    for path in _entries(folder):
        removed = _REMOVED.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        if removed and _why_precious(path) is None:
            shutil.rmtree(path, ignore_errors=True)
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


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
