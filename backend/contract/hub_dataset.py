"""A data set of the hub as it is described before anything is fetched."""

from __future__ import annotations

from dataclasses import dataclass


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
