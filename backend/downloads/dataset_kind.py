"""Data sets from the hub: the files of one split become one file of rows."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from backend.contract.download import FILES, DatasetRows, DownloadPlan
from backend.core.disk.files import child_path
from backend.data.schemas import ConvertAnswer
from backend.data.tasks.client import do_task
from backend.downloads.folder import DownloadFolder
from backend.downloads.kind import Arrival, DownloadKind
from backend.downloads.schemas import MAIN
from backend.errors import AlreadyExists
from backend.settings import Settings

_NOT_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


class DatasetKind(DownloadKind):
    def __init__(self, settings: Settings) -> None:
        self.root = settings.datasets_dir

    def refuse_existing(self, folder: DownloadFolder) -> None:
        _refuse(dataset_place(folder))

    async def settle(self, folder: DownloadFolder, plan: DownloadPlan) -> Arrival:
        target = dataset_place(folder)
        await asyncio.to_thread(_refuse, target)
        rows = _rows(folder)
        written = await do_task(
            "gather",
            {
                "sources": [str(folder.path / FILES / name) for name in plan.names],
                "target": target,
                "to": rows.to,
                "limit": rows.limit,
                "mapping": dict(rows.mapping) if rows.mapping else None,
                "system": rows.system,
                "answer_after": rows.answer_after,
                "first_exchange": rows.first_exchange,
            },
            ConvertAnswer,
            size=plan.total,
        )
        await asyncio.to_thread(folder.remove)
        if plan.files_left and rows.limit is not None and written.rows < rows.limit:
            written.notes.append(_too_few(rows.limit, len(plan.files), plan.files_left))
        return Arrival(path=target, written=written)


def dataset_place(folder: DownloadFolder) -> Path:
    """The file that the rows go to: <set>[-<config>][-<split>][-<form>].jsonl, or as asked."""
    request, rows = folder.request, _rows(folder)
    if rows.name is not None:
        return child_path(folder.root, f"{rows.name}.jsonl")
    parts = [
        request.repo_id.rpartition("/")[2],
        request.revision if request.revision != MAIN else None,
        rows.config if rows.config != "default" else None,
        rows.split,
        rows.to,
    ]
    name = "-".join(_NOT_SAFE.sub("-", part) for part in parts if part)
    return child_path(folder.root, f"{name[:90]}.jsonl")


def _refuse(path: Path) -> None:
    if os.path.lexists(path):
        raise AlreadyExists(
            f"There is a data file {path.name} already; nothing is overwritten.",
            hint="Choose it in the list of data files, or give another name.",
        )


def _too_few(limit: int, fetched: int, left: int) -> str:
    return (
        f"Fewer than {limit} rows: only the first {fetched} of {fetched + left} files were "
        "fetched, which hold enough, and rows of them were left out. A higher limit fetches more."
    )


def _rows(folder: DownloadFolder) -> DatasetRows:
    return folder.request.dataset or DatasetRows()
