"""What a download becomes when all its files are here: a kind of download."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from backend.contract.download import DownloadPlan
from backend.data.schemas import ConvertAnswer
from backend.downloads.folder import DownloadFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where it is. `problem` says why it can't be used; `written` is of rows that were written."""

    path: Path
    problem: str | None = None
    written: ConvertAnswer | None = None


class DownloadKind(ABC):
    """One kind of download: the folder it goes to, and its last step."""

    root: Path

    @abstractmethod
    def refuse_existing(self, folder: DownloadFolder) -> None:
        """Raises AlreadyExists when what it would become is there already."""

    @abstractmethod
    async def settle(self, folder: DownloadFolder, plan: DownloadPlan) -> Arrival:
        """Make of its files what was asked for, and remove its folder. Raises AppError, OSError;
        nothing is lost then.
        """
