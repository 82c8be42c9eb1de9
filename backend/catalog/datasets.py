"""Training data files: what is in one, what is wrong with it, and taking one from a browser."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.catalog.formats import Format, check, detect
from backend.catalog.rows import data_file, read_lines
from backend.catalog.schemas import DatasetInspection, LineProblem, UploadAnswer
from backend.core.files import child_path, sha256_of, sync_folder
from backend.errors import AlreadyExists, BadContent, Invalid, NoDiskSpace, TooLarge
from backend.settings import Settings

UPLOAD_CAP = 8 * 1024**3
SHOWN_ROWS = 5
SHOWN_PROBLEMS = 100
SHOWN_COLUMNS = 50
SHOWN_TEXT = 2000
TIME_CAP = 20.0

_SPARE = 256 * 1024**2  # Left free on the disk, for everything else that is being written.
_BUFFER = 1024**2
_NOT_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


class DatasetCatalog:
    def __init__(self, settings: Settings) -> None:
        self._folder = settings.datasets_dir

    def inspect(self, path: str) -> DatasetInspection:
        """Read the whole file in bounded memory. Raises NotFound or BadContent if it can't be."""
        file = data_file(path)
        seen = _Seen()
        deadline = time.monotonic() + TIME_CAP
        try:
            for line in read_lines(file):
                seen.add(line.number, line.row, line.problem)
                if time.monotonic() > deadline:
                    seen.complete = False
                    break
        except OSError as problem:
            raise BadContent(f"{file} can't be read: {problem.strerror}.") from problem
        if seen.rows == 0 and not seen.count:
            seen.problem(0, "The file is empty.")
        beside = file.parent / "valid.jsonl"
        return DatasetInspection(
            path=str(file),
            format=seen.format,
            columns=list(seen.columns),
            rows=seen.rows,
            size_bytes=file.stat().st_size,
            sample=seen.sample,
            problems=seen.problems,
            problem_count=seen.count,
            valid_beside=str(beside) if beside.is_file() and beside != file else None,
            complete=seen.complete,
        )

    async def store(self, name: str, body: AsyncIterator[bytes]) -> UploadAnswer:
        """Keep an uploaded file under the data root. The same content under the same name is the
        same file; other content is refused, because runs may have been made with the first.
        """
        target = child_path(self._folder, _safe(name))
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        try:
            size = await self._receive(temporary, body)
            await asyncio.to_thread(_keep, temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink()
        return UploadAnswer(path=str(target), size_bytes=size)

    async def _receive(self, temporary: Path, body: AsyncIterator[bytes]) -> int:
        size, held = 0, bytearray()
        with await asyncio.to_thread(temporary.open, "xb") as file:
            async for piece in body:
                size += len(piece)
                if size > UPLOAD_CAP:
                    raise TooLarge(
                        f"The file is over {UPLOAD_CAP // 1024**3} GiB.",
                        hint="Give its path instead: a file on this machine needs no upload.",
                    )
                held += piece
                if len(held) >= _BUFFER:
                    await asyncio.to_thread(_write, file, bytes(held), self._folder)
                    held.clear()
            await asyncio.to_thread(_write, file, bytes(held), self._folder)
        if size == 0:
            raise BadContent("The uploaded file is empty.")
        return size


class _Seen:
    """What has been learned of a file so far; holds only what is shown."""

    def __init__(self) -> None:
        self.format: Format | None = None
        self.columns: dict[str, None] = {}
        self.rows = 0
        self.sample: list[dict[str, Any]] = []
        self.problems: list[LineProblem] = []
        self.count = 0
        self.complete = True

    def add(self, number: int, row: dict[str, Any] | None, problem: str | None) -> None:
        if row is None:
            if problem:
                self.problem(number, f"Line {number} {problem}.")
            return
        self.rows += 1
        if self.format is None:
            self.format = detect(row)
        for column in row:
            if len(self.columns) < SHOWN_COLUMNS:
                self.columns.setdefault(column[:200])
        if len(self.sample) < SHOWN_ROWS:
            self.sample.append(_clipped(row))
        wrong = check(row, self.format)
        if wrong:
            self.problem(number, f"Line {number} {wrong}.")

    def problem(self, line: int, message: str) -> None:
        self.count += 1
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(LineProblem(line=line, message=message))


def _clipped(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        # A lone surrogate is legal JSON input but can't be sent as UTF-8.
        text = value if len(value) <= SHOWN_TEXT else value[:SHOWN_TEXT] + "…"
        return text.encode("utf-8", errors="replace").decode("utf-8")
    if depth > 6:
        return "…"
    if isinstance(value, list):
        return [_clipped(item, depth + 1) for item in value[:20]]
    if isinstance(value, dict):
        items = list(value.items())[:SHOWN_COLUMNS]
        return {_clipped(key, 1)[:200]: _clipped(item, depth + 1) for key, item in items}
    return value


def _safe(name: str) -> str:
    if "/" in name or "\\" in name or "\0" in name:
        raise Invalid(
            f"The file name {name[:120]!r} can't be used.", hint="Give a name, not a path."
        )
    safe = _NOT_SAFE.sub("_", name).lstrip("._-")[-100:].lstrip("._-")
    if not safe.lower().endswith(".jsonl") or len(safe) < 7:
        raise Invalid(
            f"The file {name[:120]!r} is not named like a JSONL file.",
            hint="Upload a .jsonl file: one JSON object per line.",
        )
    return safe


def _write(file: Any, data: bytes, folder: Path) -> None:
    if shutil.disk_usage(folder).free < _SPARE + len(data):
        raise NoDiskSpace(
            f"The disk of {folder} is almost full.", hint="Free some space, or give a path."
        )
    file.write(data)


def _keep(temporary: Path, target: Path) -> None:
    if target.exists():
        if target.is_file() and sha256_of(target) == sha256_of(temporary):
            return
        raise AlreadyExists(
            f"There is already another file named {target.name}.",
            hint="Rename the file and upload it again; nothing is overwritten.",
        )
    temporary.replace(target)
    sync_folder(target.parent)
