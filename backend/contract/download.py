"""A download: what the server asks its process for, which files will come, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backend.contract.record import write_record

REQUEST, PLAN, END = "request.json", "plan.json", "end.json"
FILES, BEAT = "files", "beat"
PART = ".part"  # Behind the name of a file that is not whole yet.


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRows:
    """The rows of a data set that are wanted, and the form they are written in.

    Without `config` or `split` the set's own first ones; `to` None writes the rows as they are.
    The other fields are those of a conversion.
    """

    config: str | None = None
    split: str | None = None
    to: str | None = None
    limit: int | None = None
    mapping: Mapping[str, str] | None = None
    system: str | None = None
    answer_after: str | None = None
    first_exchange: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRequest:
    """`request.json`: a repository of the hub at one revision, a data set's where `dataset` says
    which rows of it. `timeout` is seconds of silence.
    """

    repo_id: str
    revision: str
    endpoint: str = "https://huggingface.co"
    timeout: float = 30.0
    dataset: DatasetRows | None = None

    @property
    def repo_type(self) -> Literal["model", "dataset"]:
        return "model" if self.dataset is None else "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file to fetch. `digest` is the SHA-256 of a large file, the git blob id of a small one."""

    name: str
    size: int
    digest: str
    large: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPlan:
    """`plan.json`: the files of one commit, and their bytes together. `files_left` more of a split
    are not needed for the rows that were asked for.
    """

    commit: str
    total: int
    files: tuple[HubFile, ...]
    files_left: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadEnd:
    """`end.json`. Of one that failed: the `kind` that the server answers by, a sentence, a remedy,
    and whether another try may bring more.
    """

    ok: bool
    kind: str = "failed"
    error: str = ""
    hint: str | None = None
    retry: bool = False


def write_end(end: DownloadEnd) -> Mapping[str, Any]:
    """The JSON value of an end: of a good one, nothing but that it is one."""
    return {"ok": True} if end.ok else write_record(end)
