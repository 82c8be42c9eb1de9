"""The folder of a download in progress.

`<root>/.downloads/<id>/` holds what is asked (`request.json`), what will come (`plan.json`), the
last word of the process (`end.json`) and the files so far: hidden, so that no half thing is ever
listed. `root` is the folder of models, or that of data files.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from backend.contract.download import (
    BEAT,
    END,
    FILES,
    PART,
    PLAN,
    REQUEST,
    DownloadEnd,
    DownloadPlan,
    HubRequest,
)
from backend.contract.record import BadRecord, read_record, write_record
from backend.core.disk.files import NAME, write_json
from backend.core.disk.removal import named, remove, remove_empty
from backend.core.disk.stored_files import DamagedFile, read_object

HIDDEN = ".downloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFolder:
    """One repository at one revision; of a data set, one split. The same ones meet in the same
    folder again.
    """

    root: Path
    request: HubRequest

    @property
    def id(self) -> str:
        request, rows = self.request, self.request.dataset
        name = f"{request.repo_id}@{request.revision}"
        if rows is not None:
            name = f"datasets/{name}#{rows.config or ''}/{rows.split or ''}"
        return hashlib.sha256(name.encode()).hexdigest()[:16]

    @property
    def path(self) -> Path:
        return self.root / HIDDEN / self.id

    def prepare(self, *, endpoint: str, timeout: float) -> None:
        """Ready for a process to begin or to go on."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (END, BEAT):
            remove(self.path / name, inside=self.path, own=named(name), link=True)
        request = replace(self.request, endpoint=endpoint, timeout=timeout)
        write_json(self.path / REQUEST, write_record(request))

    def plan(self) -> DownloadPlan | None:
        """What will come; None while it is not known, or can't be read: then it is asked anew."""
        try:
            plan = read_record(DownloadPlan, read_object(self.path / PLAN))
        except (OSError, DamagedFile, BadRecord):
            return None
        return plan if plan.total >= 0 and all(map(_is_inside, plan.names)) else None

    def end(self) -> DownloadEnd | None:
        """How its process ended; None without its word, or when that can't be read."""
        try:
            return read_record(DownloadEnd, read_object(self.path / END))
        except (OSError, DamagedFile, BadRecord):
            return None

    def measure(self, plan: DownloadPlan) -> int:
        """Bytes that have arrived."""
        return sum(_size(self.path / FILES, name) for name in plan.names)

    def signs_of_life(self) -> int:
        """0 until the files are known; then changes, also while it reads again what it had."""
        try:
            return (self.path / BEAT).stat().st_mtime_ns
        except OSError:
            return 0

    def has_files(self) -> bool:
        return (self.path / PLAN).exists()

    def remove(self) -> None:
        with suppress(OSError):  # What is left of it goes at the next start.
            remove(self.path, inside=self.path.parent, own=named(r"[0-9a-f]{16}"))
        remove_empty(self.path.parent)  # The last one closes the door.


@dataclass(frozen=True, slots=True)
class DamagedDownload:
    """A folder of which nobody can tell any more what was asked for."""

    path: Path
    problem: str

    def remove(self) -> None:
        """Delete it. Raises OSError, or NotRemoved, when that can't be."""
        remove(self.path, inside=self.path.parent, own=named(NAME))


def left_behind(root: Path) -> list[DownloadFolder | DamagedDownload]:
    """Downloads that an earlier life of the server did not finish, damaged ones too."""
    try:
        paths = sorted(path for path in (root / HIDDEN).iterdir() if _is_folder(path))
    except OSError:
        return []
    return [_left(root, path) for path in paths]


def _left(root: Path, path: Path) -> DownloadFolder | DamagedDownload:
    try:
        request = read_record(HubRequest, read_object(path / REQUEST))
    except FileNotFoundError:
        return DamagedDownload(path, f"{REQUEST} is gone.")
    except DamagedFile as damage:
        return DamagedDownload(path, damage.detail)
    except BadRecord:
        request = None
    if request is not None:
        folder = DownloadFolder(root=root, request=request)
        if folder.path == path:
            return folder
    return DamagedDownload(path, f"{REQUEST} has no record of the request.")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and NAME.fullmatch(path.name) is not None


def _is_inside(name: str) -> bool:
    return "\0" not in name and not name.startswith("/") and ".." not in name.split("/")


def _size(files: Path, name: str) -> int:
    for path in (files / name, files / (name + PART)):
        with suppress(OSError):
            return path.stat().st_size
    return 0
