"""A job on disk: its request, what its process said, and its result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from backend.contract.record import BadRecord, read_record
from backend.core.disk.files import child_path, write_json
from backend.core.disk.removal import named, remove
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.errors import NotFound

T = TypeVar("T")

REQUEST, RESULT = "request.json", "result.json"
_ID = r"\d{8}_\d{6}_\d{2,}"
_LARGEST_RESULT = 64 * 1024 * 1024
_LISTED = 200


@dataclass(frozen=True, slots=True)
class JobFolder:
    """`<data>/<kind's folder>/<id>`; the id begins with its time, so that names sort by age."""

    path: Path
    kind: str

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def mark(self) -> str:
        """Of its processes: with the place, so that a copy of the data root has none of them."""
        return f"{self.kind} {self.path.resolve()}"

    def request(self) -> dict[str, Any]:
        """Raises DamagedFile when it can't be read."""
        try:
            return read_object(self.path / REQUEST)
        except FileNotFoundError as problem:
            raise DamagedFile(f"{REQUEST} is gone.") from problem

    def result(self) -> dict[str, Any] | None:
        """None until there is one. Raises DamagedFile when it can't be read."""
        try:
            return read_object(self.path / RESULT, most=_LARGEST_RESULT)
        except FileNotFoundError:
            return None

    def result_of(self, kind: type[T]) -> T | None:
        """The result as its record; None until there is one. Raises DamagedFile."""
        value = self.result()
        try:
            return read_record(kind, value) if value is not None else None
        except BadRecord as problem:
            raise DamagedFile(
                f"The result of the {self.kind} {self.id} can't be read ({problem}).",
                hint=f"Its files are in {self.path}.",
            ) from problem


class JobFolders:
    """All jobs of one kind of a data root. Blocking."""

    def __init__(self, root: Path, kind: str, list_route: str | None = None) -> None:
        self._root = root
        self._kind = kind
        self._list_route = list_route

    def all(self) -> list[JobFolder]:
        """Newest first, and not more than a list shows."""
        try:
            paths = [path for path in self._root.iterdir() if os.path.lexists(path / REQUEST)]
        except OSError:
            return []
        return [JobFolder(path, self._kind) for path in sorted(paths, reverse=True)[:_LISTED]]

    def results(self, kind: type[T]) -> Iterator[T]:
        """The results there are, newest first; damaged ones are passed over."""
        for folder in self.all():
            with suppress(DamagedFile):
                if (result := folder.result_of(kind)) is not None:
                    yield result

    def find(self, job_id: str) -> JobFolder:
        """Raises NotFound, also for a name that leads elsewhere."""
        folder = JobFolder(child_path(self._root, job_id), self._kind)
        if not os.path.lexists(folder.path / REQUEST):
            raise NotFound(
                f"There is no {self._kind} {job_id[:80]!r}.",
                hint=f"GET {self._list_route} names them." if self._list_route else None,
            )
        return folder

    def make(self, request: Mapping[str, Any], fill: Callable[[Path], None]) -> JobFolder:
        """Write what the process will read; `fill` first and the request last, so that a torn
        folder is not a job. What fails leaves nothing.
        """
        now = datetime.now(UTC)
        number = 0
        while (path := self._root / f"{now:%Y%m%d_%H%M%S}_{number:02d}").exists():
            number += 1
        path.mkdir(parents=True)
        folder = JobFolder(path, self._kind)
        try:
            fill(path)
            write_json(path / REQUEST, {**request, "started": now.isoformat()})
        except BaseException:
            self.remove(folder)
            raise
        return folder

    def remove(self, folder: JobFolder) -> None:
        """Remove one that never began; what is left of it goes at the next start."""
        with suppress(OSError):
            remove(folder.path, inside=self._root, own=named(_ID))
