"""The rows of data files, rendered with a model's chat template: once per content, by a child.

What the child found is kept under `.cache/rendered`, named by the content of file and tokenizer, so
that a start after a preview waits for nothing; only the newest few are kept. Long files take
minutes: who asks may stop waiting, the rendering goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import BaseModel

from backend import __version__
from backend.core.disk.files import sha256_of, write_json
from backend.core.disk.removal import discard, named, remove
from backend.core.disk.stored_files import DamagedFile, read_bytes, read_model
from backend.core.hub import Hub
from backend.data.checks.checked_file import CheckedFile
from backend.data.inspect.inspector import tokenizer_key
from backend.data.inspect.rendered import RECORD, Notes, RenderedFile, unpack_rendered
from backend.data.readers.data_file import read_lines
from backend.data.tasks.client import LONGEST, ask_tokens
from backend.errors import AppError
from backend.jobs.lifecycle.frames import JobData, publish_job
from backend.models.schemas import ModelInfo
from backend.settings import Settings
from backend.training.run_data.prepare import engine_rows, usable_as_it_is

# The rows of larger files take minutes; a preview does not wait for them.
MOST_BYTES = 20_000_000
MOST_CHARACTERS = 20_000_000
DEADLINE = 300.0
KEPT = 48
_MOST = 4 * 1024**3  # Bytes of one record: a few for each row.

_HELD = 16


class _Answer(BaseModel):
    files: list[Notes]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that is to be rendered, and where what is found of it is kept."""

    file: CheckedFile
    place: Path


@dataclass(frozen=True, slots=True)
class Rendering:
    """Long files that are still being rendered: the job that frames tell of, and what is done."""

    job_id: str
    share: float


@dataclass(slots=True)
class _Work:
    job_id: str
    task: asyncio.Task[None]
    share: float = 0.0


class RenderedFiles:
    def __init__(self, settings: Settings, hub: Hub | None = None) -> None:
        self._settings = settings
        self._hub = hub
        self._cache = settings.data_dir / ".cache" / "rendered"
        self._held: OrderedDict[Path, RenderedFile] = OrderedDict()
        self._places: dict[tuple[object, ...], Path] = {}
        self._running: dict[tuple[Path, ...], _Work] = {}

    async def find(
        self,
        model: ModelInfo,
        files: Sequence[CheckedFile],
        *,
        train_mode: str | None = None,
        patience: float | None = None,
    ) -> list[RenderedFile] | Rendering:
        """Every file's rows; or, of long files after `patience` seconds, the job that renders them.

        Raises AppError where the tokenizer can't be used.
        """
        jobs = [
            _Wanted(file, await asyncio.to_thread(self._place, model, file, train_mode))
            for file in files
        ]
        missing = [each for each in jobs if not await asyncio.to_thread(self._recall, each.place)]
        if missing:
            key = tuple(each.place for each in missing)
            work = self._running.get(key)
            if work is None:
                work = self._running[key] = self._begin(model, missing, train_mode)
                work.task.add_done_callback(partial(self._ended, key))
            limit = patience if any(is_long(each.file) for each in missing) else None
            await asyncio.wait({work.task}, timeout=limit)
            if not work.task.done():
                return Rendering(work.job_id, work.share)
            work.task.result()
        return [self._held[each.place] for each in jobs]

    def _begin(self, model: ModelInfo, missing: Sequence[_Wanted], train_mode: str | None) -> _Work:
        async def render() -> None:
            try:
                await self._render(model, missing, train_mode, work)
            except BaseException as problem:  # Told whatever it is, and raised again.
                self._publish(work, "error", problem)
                raise
            self._publish(work, "completed")

        task = asyncio.get_running_loop().create_task(render(), name="render rows")
        work = _Work(secrets.token_hex(8), task)
        return work

    def _ended(self, key: tuple[Path, ...], task: asyncio.Task[None]) -> None:
        """A failure is raised to those that wait, and told by a frame where nobody does."""
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()

    def _publish(self, work: _Work, state: str, problem: BaseException | None = None) -> None:
        if self._hub is None:
            return
        data = JobData(
            kind="rendering",
            job_id=work.job_id,
            state=state,
            phase="rendering",
            progress=1.0 if state == "completed" else work.share,
            error=str(problem) if problem else None,
            hint=problem.hint if isinstance(problem, AppError) else None,
        )
        publish_job(self._hub, data)

    async def _render(
        self,
        model: ModelInfo,
        missing: Sequence[_Wanted],
        train_mode: str | None,
        work: _Work,
    ) -> None:
        expected = RECORD * sum(each.file.rows for each in missing)
        drafts = [
            each.place.with_name(f".{each.place.name}.{secrets.token_hex(4)}") for each in missing
        ]
        copies: list[Path] = []

        def look() -> None:
            with suppress(OSError):
                done = sum(draft.stat().st_size for draft in drafts if draft.exists())
                share = round(min(0.99, done / max(expected, 1)), 2)
                if share != work.share:
                    work.share = share
                    self._publish(work, "running")

        await asyncio.to_thread(self._cache.mkdir, parents=True, exist_ok=True)
        try:
            files = []
            for each, draft in zip(missing, drafts, strict=True):
                rows = each.file.path
                if not usable_as_it_is(each.file):
                    rows = await asyncio.to_thread(_write, each.file)
                    copies.append(rows)
                files.append({"rows": str(rows), "out": str(draft)})
            request = {
                "task": "lengths",
                "model": model.path,
                "files": files,
                "needs": missing[0].file.needs,
                "train_mode": train_mode,
                "vocab_size": model.vocab_size,
            }
            long = any(is_long(each.file) for each in missing)
            reply = await ask_tokens(
                self._settings, request, deadline=LONGEST if long else DEADLINE, look=look
            )
            answers = _Answer.model_validate(reply).files
            for each, draft, notes in zip(missing, drafts, answers, strict=True):
                await asyncio.to_thread(self._keep, each, draft, notes)
            await asyncio.to_thread(self._sweep)
        finally:
            for draft in drafts:
                await asyncio.to_thread(discard, draft)
            for copy in copies:
                await asyncio.to_thread(_remove_copy, copy)

    def _keep(self, job: _Wanted, draft: Path, notes: Notes) -> None:
        notes = _in_lines(job.file, notes)
        self._hold(job.place, unpack_rendered(read_bytes(draft, most=_MOST), notes))
        draft.replace(job.place)
        write_json(job.place.with_suffix(".json"), notes.model_dump())

    def _recall(self, place: Path) -> bool:
        """Whether the file's rows are known, from before or from the disk."""
        if place in self._held:
            return True
        try:
            notes = read_model(place.with_suffix(".json"), Notes)
            self._hold(place, unpack_rendered(read_bytes(place, most=_MOST), notes))
        except (OSError, DamagedFile, ValueError):
            return False
        return True

    def _hold(self, place: Path, rendered: RenderedFile) -> None:
        self._held[place] = rendered
        while len(self._held) > _HELD:
            self._held.popitem(last=False)

    def _place(self, model: ModelInfo, file: CheckedFile, train_mode: str | None) -> Path:
        tokenizer = tokenizer_key(model)
        identity = (file.path, file.stamp, file.needs, file.form, tokenizer, train_mode)
        place = self._places.get(identity)
        if place is None:
            parts: list[object] = [__version__, tokenizer, train_mode, file.needs, file.form]
            parts += [file.path.suffix, sha256_of(file.path)]
            name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
            place = self._places[identity] = self._cache / f"{name}.bin"
        return place

    def _sweep(self) -> None:
        folders = sorted(
            self._cache.glob("*.bin"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        for path in folders[KEPT:]:
            for old in (path, path.with_suffix(".json")):
                remove(old, inside=self._cache, own=named(r"[0-9a-f]{32}\.(bin|json)"))


def is_long(file: CheckedFile) -> bool:
    return file.stamp[0] > MOST_BYTES or file.characters > MOST_CHARACTERS


def _write(checked: CheckedFile) -> Path:
    """The rows as the engine would get them, in a file that the caller removes."""
    with NamedTemporaryFile(prefix="rows-", suffix=".jsonl", delete=False) as file:
        path = Path(file.name)
        try:
            file.writelines(engine_rows(checked))
        except BaseException:
            _remove_copy(path)
            raise
    return path


def _remove_copy(rows: Path) -> None:
    remove(rows, inside=rows.parent, own=named(r"rows-.+\.jsonl"))


def _in_lines(file: CheckedFile, notes: Notes) -> Notes:
    """Notes with the lines of the user's file: the child counted the rows that a run gets."""
    if usable_as_it_is(file) or not notes.notes:
        return notes
    last = max(each.line for note in notes.notes.values() for each in note.first)
    lines: Mapping[int, int] = _line_numbers(file.path, last)
    moved = {
        name: note.model_copy(
            update={
                "first": [
                    each.model_copy(update={"line": lines.get(each.line, each.line)})
                    for each in note.first
                ]
            }
        )
        for name, note in notes.notes.items()
    }
    return Notes(notes=moved)


def _line_numbers(path: Path, last: int) -> dict[int, int]:
    """The line of each of the first rows, both counted from 1."""
    numbers: dict[int, int] = {}
    for line in read_lines(path):
        if line.row is not None:
            numbers[len(numbers) + 1] = line.number
            if len(numbers) == last:
                break
    return numbers
