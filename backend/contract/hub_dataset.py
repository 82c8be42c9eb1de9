"""A data set of the hub as it is described before anything is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSplit:
    """The files of one split. `rows` is what the set's card says, None where it says nothing."""

    name: str
    files: int
    size_bytes: int
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """One configuration. `columns` are those that the card names; empty where it names none."""

    name: str
    splits: tuple[HubSplit, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDataset:
    """A data set at one commit. `license` is its card's, None without one."""

    repo_id: str
    revision: str
    commit: str
    license: str | None
    gated: bool
    configs: tuple[HubConfig, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRows:
    """The first rows of a split as they are in `file`, its first one. `read_bytes` were fetched for
    them; without rows `problem` says why. A longer text than the preview holds is cut, `cut` then.
    """

    file: str
    read_bytes: int
    rows: tuple[Mapping[str, Any], ...] = ()
    cut: bool = False
    problem: str | None = None
