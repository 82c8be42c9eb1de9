"""What is asked and told about model downloads."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

DownloadState = Literal[
    "waiting",
    "preparing",
    "downloading",
    "retrying",
    "completed",
    "cancelled",
    "interrupted",
    "error",
    "removed",
    "damaged",
]
LIVE: frozenset[DownloadState] = frozenset({"waiting", "preparing", "downloading", "retrying"})


class DownloadRequest(BaseModel):
    """A model of the Hugging Face hub; one that was stopped goes on where it was."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repo_id: str = Field(
        pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}$",
        description="organisation/name, as on huggingface.co; never an address.",
    )
    revision: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$",
        description="Branch, tag or commit; the main branch if not given.",
    )

    @field_validator("repo_id", "revision")
    @classmethod
    def _no_way_up(cls, value: str | None) -> str | None:
        if value is not None and (".." in value or "//" in value):
            raise ValueError("must not hold '..' or '//'")
        return value


class DownloadInfo(BaseModel):
    """One download. Bytes and times are null while they are not known. Of a `damaged` one only the
    folder is known, its `name`; `problem` says why, and it can only be removed.
    """

    id: str
    repo_id: str
    revision: str
    name: str
    state: DownloadState
    message: str | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    bytes_per_second: float | None = None
    eta_seconds: float | None = None
    error: str | None = None
    hint: str | None = None
    path: str | None = None
    problem: str | None = None


class DownloadsAnswer(BaseModel):
    downloads: list[DownloadInfo]
