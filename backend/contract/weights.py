"""What an adapter does to its base's matrices: asked of `python -m backend.engines.weights`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRequest:
    """An adapter file, as `backend/adapters/finder.py` knows it, and the folder of its base.

    `names` maps the file's tensor names to (the engine's name, whether to turn it over) where
    another framework wrote it; `scales` has the modules whose scale is another.
    """

    file: str
    scale: float
    base: str | None = None
    names: Mapping[str, tuple[Any, ...]] | None = None
    scales: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixChange:
    """One matrix: Frobenius norms of ΔW and W, the largest singular value and the effective rank of
    ΔW (exp of the entropy of its singular values' shares, Roy and Vetterli 2007), and ‖ΔW‖ / ‖W‖.
    Null is unknown. Of the product scale · B · A, never of its factors.
    """

    # The effective rank is null where ΔW is zero, `relative` where the base has no matrix of that
    # name. A stack of experts has the norms of the whole stack and the mean effective rank of its
    # changed experts. For DoRA the norm is of W′ − W, magnitudes included (and null without the
    # base), there is no `spectral`, and the rank is that of its low-rank part.
    name: str
    shape: tuple[int, ...]
    rank: int
    norm: float | None
    spectral: float | None
    effective_rank: float | None
    base_norm: float | None
    relative: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsAnswer:
    """Every adapted matrix, or a sentence why there is none to look at."""

    matrices: tuple[MatrixChange, ...] = ()
    problem: str | None = None
