"""Examine a data file: read it once, measure it in a model's tokens, remember both.

What was found is kept under `.cache/datasets`, named by what the file was when it was read, so
that looking again, or at another length limit, takes no time; only the newest few are kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

from backend.core.disk.files import write_bytes, write_json
from backend.core.disk.removal import discard, named, remove
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.data.inspect.lengths import Measured, measured_rows, summarise
from backend.data.inspect.rendered import RECORD, Notes, unpack_rendered
from backend.data.readers.data_file import data_file
from backend.data.schemas import DatasetInspection, InspectRequest
from backend.data.tasks.client import Report, ask_tokens, do_task
from backend.errors import AppError, BadContent
from backend.models.schemas import ModelInfo
from backend.settings import Settings

RULES = 4  # Raise it when the checks change: what was found by the old ones is then not used.
KEPT = 24
_REPORT = named(r"[0-9a-f]{32}")
TIME_CAP = 20.0  # Seconds for reading when somebody waits for the answer; a job has no cap.
DEADLINE = 120.0
JOB_DEADLINE = 1800.0
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "tokenizer.model",
    "config.json", "special_tokens_map.json",
)  # fmt: skip

_logger = logging.getLogger(__name__)


def _silent(_phase: str, _share: float | None) -> None:
    return None


class Doctor:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = settings.data_dir / ".cache" / "datasets"
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def inspect(
        self,
        request: InspectRequest,
        model: ModelInfo | None,
        *,
        patient: bool = False,
        report: Report = _silent,
    ) -> DatasetInspection:
        """`patient` reads to the end however long it takes. Raises NotFound or BadContent."""
        path, valid = await asyncio.to_thread(_files, request)
        key = await asyncio.to_thread(_key, path, valid)
        folder = self._cache / key
        lock = self._busy.setdefault(key, asyncio.Lock())
        async with lock:  # Two pages that ask at once share the reading.
            found = await asyncio.to_thread(_recall, folder)
            if found is None:
                found = await self._scan(path, valid, folder, patient=patient, report=report)
            if request.batch_size:
                found.tail_rows = found.good_rows % request.batch_size
            if model is not None and found.complete and found.good_rows:
                deadline = JOB_DEADLINE if patient else DEADLINE
                await self._measure(found, request, model, folder, deadline, report)
        return found

    def known(self, path: Path) -> DatasetInspection | None:
        """What was found in a file the last time, if it has not changed since."""
        try:
            return _recall(self._cache / _key(path, _beside(path)))
        except OSError:
            return None

    async def _scan(
        self, path: Path, valid: Path | None, folder: Path, *, patient: bool, report: Report
    ) -> DatasetInspection:
        draft = self._cache / f".{folder.name}.{secrets.token_hex(4)}"
        report("reading", 0.0)
        try:
            await asyncio.to_thread(draft.mkdir, parents=True)
            found = await do_task(
                "scan",
                {
                    "path": path,
                    "valid": valid,
                    "sample": draft / "sample.jsonl",
                    "seconds": None if patient else TIME_CAP,
                },
                DatasetInspection,
                size=await asyncio.to_thread(_size, path, valid),
                progress=draft / "progress",
                report=report,
            )
            if found.complete:
                await asyncio.to_thread(_remember, draft, folder, found)
                await asyncio.to_thread(_sweep, self._cache, folder)
        finally:
            await asyncio.to_thread(discard, draft)
        return found

    async def _measure(
        self,
        found: DatasetInspection,
        request: InspectRequest,
        model: ModelInfo,
        folder: Path,
        deadline: float,
        report: Report,
    ) -> None:
        try:
            measured = await self._lengths(model, folder, found.good_rows, deadline, report)
        except AppError as refusal:  # The file itself is told about all the same.
            found.lengths_problem = refusal.detail
            return
        found.lengths = summarise(
            measured, model=model.name, rows=found.good_rows, limit=request.max_seq_length
        )
        if found.lengths is None:
            refused = measured.notes.notes.get("refused")
            first = refused.first[0] if refused else None
            why = f"Line {first.line}: {first.message}" if first else "it has no rows"
            found.lengths_problem = f"No row can be turned into tokens with {model.name}. {why}"

    async def _lengths(
        self, model: ModelInfo, folder: Path, rows: int, deadline: float, report: Report
    ) -> Measured:
        out = folder / f"lengths-{await asyncio.to_thread(tokenizer_key, model)}.bin"
        kept = out.with_suffix(".json")
        try:
            notes = await asyncio.to_thread(read_model, kept, Notes)
        except (OSError, DamagedFile):
            notes = await self._ask(model, out, rows, deadline, report)
            await asyncio.to_thread(write_json, kept, notes.model_dump())
        raw = await asyncio.to_thread(out.read_bytes)
        rendered = await asyncio.to_thread(unpack_rendered, raw, notes)
        return await asyncio.to_thread(measured_rows, rendered)

    async def _ask(
        self, model: ModelInfo, out: Path, rows: int, deadline: float, report: Report
    ) -> Notes:
        if model.problem is not None:
            raise BadContent(f"{model.name} can't be used. {model.problem}")
        draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        expected = min(rows, 20_000) * RECORD

        def look() -> None:
            with suppress(OSError):
                report("measuring", min(0.99, draft.stat().st_size / max(expected, 1)))

        report("measuring", None)
        asked = {
            "task": "lengths",
            "model": model.path,
            "files": [{"rows": str(out.parent / "sample.jsonl"), "out": str(draft)}],
            "needs": "sft",
            "train_mode": None,
            "vocab_size": model.vocab_size,
        }
        try:
            answer = await ask_tokens(self._settings, asked, deadline=deadline, look=look)
            await asyncio.to_thread(draft.replace, out)
        finally:
            await asyncio.to_thread(discard, draft)
        return Notes.model_validate(answer["files"][0])


def tokenizer_key(model: ModelInfo) -> str:
    """Changes when the model's tokenizer or template does."""
    parts: list[object] = [RULES, model.path]
    for name in TOKENIZER_FILES:
        with suppress(OSError):
            status = (Path(model.path) / name).stat()
            parts += [name, status.st_size, status.st_mtime_ns]
    return _hashed(parts)


def _files(request: InspectRequest) -> tuple[Path, Path | None]:
    path = data_file(request.path).resolve()
    if request.valid_path:
        return path, data_file(request.valid_path, "valid.jsonl").resolve()
    return path, _beside(path)


def _beside(path: Path) -> Path | None:
    beside = path.parent / "valid.jsonl"
    return beside if beside.is_file() and beside != path else None


def _key(path: Path, valid: Path | None) -> str:
    parts: list[object] = [RULES]
    for file in (path, valid):
        if file is not None:
            status = file.stat()
            parts += [str(file), status.st_size, status.st_mtime_ns]
    return _hashed(parts)


def _size(path: Path, valid: Path | None) -> int:
    return path.stat().st_size + (valid.stat().st_size if valid else 0)


def _hashed(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode(errors="replace")).hexdigest()[:32]


def _recall(folder: Path) -> DatasetInspection | None:
    try:
        return read_model(folder / "report.json", DatasetInspection)
    except (OSError, DamagedFile):
        return None


def _remember(draft: Path, folder: Path, found: DatasetInspection) -> None:
    write_bytes(draft / "report.json", found.model_dump_json().encode())
    remove(draft / "progress", inside=draft, own=named("progress"))
    remove(folder, inside=draft.parent, own=_REPORT)  # Left by an older version of this app.
    draft.rename(folder)


def _sweep(cache: Path, newest: Path) -> None:
    folders = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")]
    old = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]
    for path in old:
        if path != newest:
            with suppress(OSError):
                remove(path, inside=cache, own=_REPORT)
