"""What is asked and told about data sets of the hub before anything is fetched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from backend.data.schemas import DataForm


class HubSplitInfo(BaseModel):
    """The files of one split. `rows` is null where the set's card says nothing of it."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    files: int
    size_bytes: int
    rows: int | None


class HubConfigInfo(BaseModel):
    """`columns` are those that the card names; empty where it names none."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    splits: list[HubSplitInfo]
    columns: list[str]


class HubRowsInfo(BaseModel):
    """The first rows of a split as they are in `file`, its first one; `read_bytes` were fetched for
    them. Without rows `problem` says why there is no preview. `cut` says that long texts are cut.
    """

    model_config = ConfigDict(from_attributes=True)

    file: str
    read_bytes: int
    rows: list[dict[str, Any]]
    cut: bool
    problem: str | None


class KnownForm(BaseModel):
    """A form that the rows of a set can be written in, and how, for POST /api/datasets/download."""

    to: DataForm
    mapping: dict[str, str] | None = None
    answer_after: str | None = None


class KnownSet(BaseModel):
    """A set of the catalog. `rows` (of its `split`) and `license` are null where they are not known
    for certain; GET /api/datasets/hub tells what the hub says now.
    """

    topic: Literal["mathematics", "reasoning", "finance", "preference"]
    repo_id: str
    config: str | None
    split: str
    columns: list[str]
    forms: list[KnownForm]
    rows: int | None
    license: str | None


class HubDatasetInfo(BaseModel):
    """A data set of the hub at one commit. `license` is its card's; `known` what the catalog has
    on it. A `gated` one needs its authors' terms accepted, and a token.
    """

    model_config = ConfigDict(from_attributes=True)

    repo_id: str
    revision: str
    commit: str
    license: str | None
    gated: bool
    configs: list[HubConfigInfo]
    known: KnownSet | None = None


class DatasetCatalogAnswer(BaseModel):
    datasets: list[KnownSet]
