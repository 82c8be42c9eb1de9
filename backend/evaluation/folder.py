"""An evaluation on disk: its request, its rows, what its process said, and its result."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.core.disk.files import child_path, write_bytes, write_json
from backend.core.disk.removal import named, remove
from backend.core.disk.stored_files import DamagedFile, read_object, read_text
from backend.errors import NotFound
from backend.evaluation.rows import ChosenRows

REQUEST, ROWS, EVENTS, RESULT = "request.json", "rows.jsonl", "events.jsonl", "result.json"
LOG, REPORT = "evaluate.log", "report.md"
_LARGEST_RESULT = 64 * 1024 * 1024
_KEPT = 200


@dataclass(frozen=True, slots=True)
class EvaluationFolder:
    """`<data>/evaluations/<id>`; the id begins with its time, so that names sort by age."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def mark(self) -> str:
        """Of its processes: with the place, so that a copy of the data root has none of them."""
        return f"evaluation {self.path.resolve()}"

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

    def report(self) -> str | None:
        """The page of Markdown; None without one. Raises DamagedFile when it can't be read."""
        try:
            return read_text(self.path / REPORT, most=_LARGEST_RESULT)
        except FileNotFoundError:
            return None


class EvaluationFolders:
    """All evaluations of a data root. Blocking."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "evaluations"

    def all(self) -> list[EvaluationFolder]:
        """Newest first."""
        try:
            found = [path for path in self._root.iterdir() if os.path.lexists(path / REQUEST)]
        except OSError:
            return []
        return [EvaluationFolder(path) for path in sorted(found, reverse=True)][:_KEPT]

    def find(self, evaluation_id: str) -> EvaluationFolder:
        """Raises NotFound, also for a name that leads elsewhere."""
        folder = EvaluationFolder(child_path(self._root, evaluation_id))
        if not os.path.lexists(folder.path / REQUEST):
            raise NotFound(
                f"There is no evaluation {evaluation_id[:80]!r}.",
                hint="GET /api/evaluation/list names them.",
            )
        return folder

    def make(self, request: Mapping[str, Any], rows: ChosenRows) -> EvaluationFolder:
        """Write what the process will read; the request last, so that a torn folder is not one."""
        now = datetime.now(UTC)
        number = 0
        while (path := self._root / f"{now:%Y%m%d_%H%M%S}_{number:02d}").exists():
            number += 1
        path.mkdir(parents=True)
        lines = (
            json.dumps({"line": row.line, "seen": row.seen, "row": row.row}, ensure_ascii=False)
            for row in rows.rows
        )
        try:
            write_bytes(path / ROWS, "".join(line + "\n" for line in lines).encode())
            write_json(path / REQUEST, {**request, "started": now.isoformat()})
        except BaseException:
            self.remove(EvaluationFolder(path))
            raise
        return EvaluationFolder(path)

    def remove(self, folder: EvaluationFolder) -> None:
        """Remove one that never began; what is left of it goes at the next start."""
        with suppress(OSError):
            remove(folder.path, inside=self._root, own=named(r"\d{8}_\d{6}_\d{2,}"))
