"""What is asked and told about downloads."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backend.contract.download import DatasetRows, HubRequest
from backend.core.limits import Count
from backend.data.schemas import ConvertAnswer, DataForm

DownloadState = Literal[
    "waiting",
    "preparing",
    "downloading",
    "retrying",
    "converting",
    "completed",
    "cancelled",
    "interrupted",
    "error",
    "removed",
    "damaged",
]
LIVE: frozenset[DownloadState] = frozenset(
    {"waiting", "preparing", "downloading", "retrying", "converting"}
)


MAIN = "main"


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

    def hub_request(self) -> HubRequest:
        return HubRequest(repo_id=self.repo_id, revision=self.revision or MAIN)


class DatasetSplitRequest(DownloadRequest):
    """A split of a data set; the set's default ones without `config` or `split`."""

    config: str | None = Field(default=None, min_length=1, max_length=200)
    split: str | None = Field(default=None, min_length=1, max_length=200)

    def hub_request(self) -> HubRequest:
        rows = DatasetRows(config=self.config, split=self.split)
        return replace(super().hub_request(), dataset=rows)


class DatasetDownloadRequest(DatasetSplitRequest):
    """Rows of a data set of the hub as a JSONL file in the folder of data files.

    Without `config` or `split`, the set's default ones. Without `to` the rows stay as they are;
    with it they are converted as by POST /api/datasets/convert, whose fields `mapping`, `system`,
    `answer_after` and `first_exchange` are. A set of the catalog that is asked for without
    `mapping` gets the one there. `limit` ends the file after so many rows. `name` is that of the
    file, without .jsonl.
    """

    to: DataForm | None = None
    limit: Count | None = None
    mapping: dict[str, str] | None = None
    system: str | None = Field(default=None, max_length=20_000)
    answer_after: str | None = Field(default=None, min_length=1, max_length=200)
    first_exchange: bool = False
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$")

    @model_validator(mode="after")
    def _conversion_has_a_form(self) -> Self:
        settings = [name for name in _CONVERSION if getattr(self, name)]
        if self.to is None and settings:
            raise ValueError(f"{settings[0]} is for a conversion; say in 'to' which form is wanted")
        return self

    def hub_request(self) -> HubRequest:
        rows = DatasetRows(**self.model_dump(exclude={"repo_id", "revision"}))
        return replace(super().hub_request(), dataset=rows)


_CONVERSION = ("mapping", "system", "answer_after", "first_exchange")


class DownloadInfo(BaseModel):
    """One download. Bytes and times are null while they are not known. Of a `damaged` one only the
    folder is known, its `name`; `problem` says why, and it can only be removed. Of a data set
    `dataset` is what was asked for, and `written` what became of its rows.
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
    dataset: DatasetDownloadRequest | None = None
    written: ConvertAnswer | None = None


def asked_rows(request: HubRequest) -> DatasetDownloadRequest | None:
    """The request that a stored one was made from, if it is of a data set. Also one that a newer
    version stored is shown, so nothing is checked again.
    """
    if request.dataset is None:
        return None
    rows = {field.name: getattr(request.dataset, field.name) for field in fields(request.dataset)}
    return DatasetDownloadRequest.model_construct(
        repo_id=request.repo_id, revision=request.revision, **rows
    )


class DownloadsAnswer(BaseModel):
    downloads: list[DownloadInfo]
