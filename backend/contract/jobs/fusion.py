"""A fusion: what the server asks its process for, and what that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.contract.jobs.proof import ProofSet

STAGING = r"\.fusing-.+"  # The name of a folder that a fusion is written in.

FusionMethod = Literal["weighted", "slerp", "ties", "dare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionSource:
    """An adapter to merge: what an engine loads it by, and which of its files that is."""

    name: str
    checkpoint: str
    weight: float
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionRequest:
    """`request.json` of a fusion. Rows for the proof stand in `proof/`, if there are any.

    `output` is the folder to be made. It is written as `staging` beside it and renamed at the end,
    so it is there whole or not at all. `rank` null keeps the sum of the ranks. `density` is the
    share of each change that ties and dare keep. `base` is `base_model` of the lineage. `sets` are
    the rows of the proof; without any, `unproven` says why.
    """

    model: str
    output: str
    staging: str
    sources: tuple[FusionSource, ...]
    method: FusionMethod
    rank: int | None = None
    density: float = 0.5
    seed: int = 0
    base: Mapping[str, Any] = field(default_factory=dict)
    proof: bool = False
    sets: tuple[ProofSet, ...] = ()
    unproven: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """What was taken from an adapter: its matrices, and its part of the merged change.

    `norm` is the Frobenius norm of its whole change, weight not included; `cosine` how far the
    merged change points its way, from −1 to 1, null where one of them is zero.
    """

    name: str
    checkpoint: str
    weight: float
    rank: int
    scale: float
    matrices: int
    layers: int
    norm: float
    cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionResult:
    """`result.json` of a fusion. Errors are relative Frobenius errors of the reduced rank."""

    name: str
    path: str
    method: FusionMethod
    rank: int
    matrices: int
    parameters: int
    relative_error: float
    worst_matrix: str | None
    worst_error: float
    sources: tuple[SourceShare, ...]
    seconds: float
