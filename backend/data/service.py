"""Data files: known ones, what is in one, other forms of one, and taking one from a browser."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.core.disk.files import child_path, format_bytes, sha256_of, sync_folder
from backend.core.disk.removal import discard
from backend.core.hub import Hub
from backend.data.inspect.inspector import Doctor
from backend.data.inspect.jobs import InspectionJobs
from backend.data.inspect.previews import Previews
from backend.data.library import list_datasets
from backend.data.readers.data_file import SUFFIXES, data_file
from backend.data.schemas import (
    ConvertAnswer,
    ConvertRequest,
    DatasetInspection,
    DatasetPreview,
    DatasetsAnswer,
    InspectRequest,
    PreviewRequest,
    SplitAnswer,
    SplitRequest,
    UploadAnswer,
)
from backend.data.tasks.client import do_task
from backend.data.write.atomic_output import (
    need_space,
    put_in_free_place,
    refuse_existing,
    target_path,
)
from backend.errors import AlreadyExists, BadContent, Invalid, TooLarge
from backend.models.schemas import ModelInfo
from backend.settings import Settings

UPLOAD_CAP = 8 * 1024**3

_BUFFER = 1024**2
_NOT_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


class DatasetCatalog:
    """What the routes are given; each part of the work is in a file of its own."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._folder = settings.datasets_dir
        self._doctor = Doctor(settings)
        self._previews = Previews(settings)
        self.jobs = InspectionJobs(self._doctor, hub)

    async def close(self) -> None:
        await self.jobs.close()

    def known(self, recent: Iterable[str] = ()) -> DatasetsAnswer:
        found = list_datasets(self._folder, recent, self._doctor.known)
        return DatasetsAnswer(datasets=found, folder=str(self._folder))

    async def inspect(
        self, request: InspectRequest, model: ModelInfo | None = None
    ) -> DatasetInspection:
        """Read the file in bounded memory. Raises NotFound or BadContent if it can't be."""
        return await self._doctor.inspect(request, model)

    async def preview(self, request: PreviewRequest, model: ModelInfo) -> DatasetPreview:
        return await self._previews.show(request, model)

    async def convert(self, request: ConvertRequest) -> ConvertAnswer:
        """Raises AlreadyExists rather than replace a file unasked."""
        source = await asyncio.to_thread(data_file, request.path)
        target = await asyncio.to_thread(target_path, request.output_path, self._folder)
        await asyncio.to_thread(refuse_existing, target, overwrite=request.overwrite)
        options = {"source": source, "target": target, **request.model_dump(exclude=_PATHS)}
        size = source.stat().st_size
        return await do_task("convert", options, ConvertAnswer, size=size)

    async def split(self, request: SplitRequest) -> SplitAnswer:
        source = await asyncio.to_thread(data_file, request.path)
        train = f"{request.output_dir.rstrip('/')}/train.jsonl"
        folder = (await asyncio.to_thread(target_path, train, self._folder, new_folder=True)).parent
        options = {"source": source, "folder": folder, **request.model_dump(exclude=_PATHS)}
        size = source.stat().st_size
        return await do_task("split", options, SplitAnswer, size=size)

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
            await asyncio.to_thread(discard, temporary)
        return UploadAnswer(path=str(target), size_bytes=size)

    async def _receive(self, temporary: Path, body: AsyncIterator[bytes]) -> int:
        size, held = 0, bytearray()
        with await asyncio.to_thread(temporary.open, "xb") as file:
            async for piece in body:
                size += len(piece)
                if size > UPLOAD_CAP:
                    raise TooLarge(
                        f"The file is over {format_bytes(UPLOAD_CAP)}.",
                        hint="Give its path instead: a file on this machine needs no upload.",
                    )
                held += piece
                if len(held) >= _BUFFER:
                    await asyncio.to_thread(_write, file, bytes(held), self._folder)
                    held.clear()
            await asyncio.to_thread(_write, file, bytes(held), self._folder)
            await asyncio.to_thread(_sync, file)
        if size == 0:
            raise BadContent("The uploaded file is empty.")
        return size


_PATHS = {"path", "output_path", "output_dir"}


def _safe(name: str) -> str:
    if "/" in name or "\\" in name or "\0" in name:
        raise Invalid(
            f"The file name {name[:120]!r} can't be used.", hint="Give a name, not a path."
        )
    safe = _NOT_SAFE.sub("_", name).lstrip("._-")[-100:].lstrip("._-")
    if Path(safe).suffix.lower() not in SUFFIXES or not Path(safe).stem:
        raise Invalid(
            f"The file {name[:120]!r} is not named like a data file.",
            hint=f"Upload a file that ends in {', '.join(SUFFIXES)}.",
        )
    return safe


def _write(file: Any, data: bytes, folder: Path) -> None:
    need_space(folder, len(data))
    file.write(data)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _keep(temporary: Path, target: Path) -> None:
    with suppress(AlreadyExists, Invalid):
        put_in_free_place(temporary, target)
        sync_folder(target.parent)
        return
    if target.is_file() and sha256_of(target) == sha256_of(temporary):
        return
    raise AlreadyExists(
        f"There is already another file named {target.name}.",
        hint="Rename the file and upload it again; nothing is overwritten.",
    )
