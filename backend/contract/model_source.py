"""Where a model folder of this app comes from: `droid_source.json` in it."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE_FILE = "droid_source.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedFrom:
    """The model that a conversion read, and what it was asked to make of it."""

    name: str
    path: str
    fingerprint: str | None = None
    repo_id: str | None = None
    quantize: int | None = None
    dtype: str | None = None
    group_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Of a download its repository and commit, of a conversion the model it was made of."""

    repo_id: str | None = None
    revision: str | None = None
    commit: str | None = None
    downloaded_at: str | None = None
    converted_from: ConvertedFrom | None = None
    converted_at: str | None = None
