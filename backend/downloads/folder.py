"""The folder of a download in progress, and how it becomes a model folder.

`<models>/.downloads/<id>/` holds what is asked (`request.json`), what will come (`plan.json`), the
last word of the process (`end.json`) and the files so far: hidden, so that no half model is ever
listed. A finished one is renamed into `<models>/<name>` in one step.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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
from backend.contract.model_source import SOURCE_FILE, ModelSource
from backend.contract.record import BadRecord, read_record, write_record
from backend.core.disk.files import NAME, child_path, sync_folder, write_json
from backend.core.disk.removal import named, remove, remove_empty
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.errors import AlreadyExists
from backend.models.source import read_source

HIDDEN = ".downloads"
MAIN = "main"


End = DownloadEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFolder:
    """One repository at one revision. The same ones meet in the same folder again."""

    models: Path
    repo_id: str
    revision: str

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.repo_id}@{self.revision}".encode()).hexdigest()[:16]

    @property
    def path(self) -> Path:
        return self.models / HIDDEN / self.id

    def prepare(self, *, endpoint: str, timeout: float) -> None:
        """Ready for a process to begin or to go on."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (END, BEAT):
            remove(self.path / name, inside=self.path, own=named(name), link=True)
        request = HubRequest(
            repo_id=self.repo_id, revision=self.revision, endpoint=endpoint, timeout=timeout
        )
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

    def destination(self) -> Path:
        """Where the model will be. Raises AlreadyExists when it is there already."""
        publisher, _, name = self.repo_id.rpartition("/")
        if self.revision != MAIN:
            name = f"{name}--{self.revision.replace('/', '-')}"
        candidates = [name, f"{publisher}--{name}"] if publisher else [name]
        for candidate in candidates:
            path = child_path(self.models, candidate[:100])
            if not os.path.lexists(path):
                return path
            source = read_source(path)
            if source and (source.repo_id, source.revision) == (self.repo_id, self.revision):
                raise AlreadyExists(
                    f"{self.repo_id} is here already, as {path.name}.",
                    hint="Choose it in the model list. To fetch it again, delete its folder first.",
                )
        raise AlreadyExists(
            f"There is a model folder named {candidates[-1][:100]} already.",
            hint="Rename or delete that folder, then try again.",
        )

    def finish(self, plan: DownloadPlan) -> Path:
        """Make it a model folder; answers where."""
        target = self.destination()
        files = self.path / FILES
        source = ModelSource(
            repo_id=self.repo_id,
            revision=self.revision,
            commit=plan.commit,
            downloaded_at=datetime.now(UTC).isoformat(),
        )
        write_json(files / SOURCE_FILE, write_record(source))
        files.rename(target)
        sync_folder(self.models)
        self.remove()
        return target

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


def left_behind(models: Path) -> list[DownloadFolder | DamagedDownload]:
    """Downloads that an earlier life of the server did not finish, damaged ones too."""
    try:
        paths = sorted(path for path in (models / HIDDEN).iterdir() if _is_folder(path))
    except OSError:
        return []
    return [_left(models, path) for path in paths]


def _left(models: Path, path: Path) -> DownloadFolder | DamagedDownload:
    try:
        request = read_record(HubRequest, read_object(path / REQUEST))
    except FileNotFoundError:
        return DamagedDownload(path, f"{REQUEST} is gone.")
    except DamagedFile as damage:
        return DamagedDownload(path, damage.detail)
    except BadRecord:
        request = None
    if request is not None:
        folder = DownloadFolder(models=models, repo_id=request.repo_id, revision=request.revision)
        if folder.path == path:
            return folder
    return DamagedDownload(path, f"{REQUEST} does not say what was asked for.")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and NAME.fullmatch(path.name) is not None


def _is_inside(name: str) -> bool:
    return "\0" not in name and not name.startswith("/") and ".." not in name.split("/")


def _size(files: Path, name: str) -> int:
    for path in (files / name, files / (name + PART)):
        with suppress(OSError):
            return path.stat().st_size
    return 0
