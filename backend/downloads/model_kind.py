"""Models from the hub: the files become a model folder in one step."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from backend.contract.download import FILES, DownloadPlan
from backend.contract.model_source import SOURCE_FILE, ModelSource
from backend.contract.record import write_record
from backend.core.disk.files import child_path, sync_folder, write_json
from backend.downloads.folder import DownloadFolder
from backend.downloads.kind import Arrival, DownloadKind
from backend.downloads.schemas import MAIN
from backend.errors import AlreadyExists
from backend.models.folder import describe_folder
from backend.models.own_models import new_models_folder
from backend.models.source import read_source
from backend.settings import Settings


class ModelKind(DownloadKind):
    def __init__(self, settings: Settings) -> None:
        self.root = new_models_folder(settings)

    def refuse_existing(self, folder: DownloadFolder) -> None:
        model_place(folder)

    async def settle(self, folder: DownloadFolder, plan: DownloadPlan) -> Arrival:
        path = await asyncio.to_thread(_finish, folder, plan)
        described = await asyncio.to_thread(describe_folder, path.name, path)
        return Arrival(path=path, problem=described.info.problem)


def model_place(folder: DownloadFolder) -> Path:
    """Where the model will be. Raises AlreadyExists when it is there already."""
    request = folder.request
    publisher, _, name = request.repo_id.rpartition("/")
    if request.revision != MAIN:
        name = f"{name}--{request.revision.replace('/', '-')}"
    candidates = [name, f"{publisher}--{name}"] if publisher else [name]
    for candidate in candidates:
        path = child_path(folder.root, candidate[:100])
        if not os.path.lexists(path):
            return path
        source = read_source(path)
        if source and (source.repo_id, source.revision) == (request.repo_id, request.revision):
            raise AlreadyExists(
                f"{request.repo_id} is here already, as {path.name}.",
                hint="Choose it in the model list. To fetch it again, delete its folder first.",
            )
    raise AlreadyExists(
        f"There is a model folder named {candidates[-1][:100]} already.",
        hint="Rename or delete that folder, then try again.",
    )


def _finish(folder: DownloadFolder, plan: DownloadPlan) -> Path:
    target = model_place(folder)
    files = folder.path / FILES
    source = ModelSource(
        repo_id=folder.request.repo_id,
        revision=folder.request.revision,
        commit=plan.commit,
        downloaded_at=datetime.now(UTC).isoformat(),
    )
    write_json(files / SOURCE_FILE, write_record(source))
    files.rename(target)
    sync_folder(folder.root)
    folder.remove()
    return target
