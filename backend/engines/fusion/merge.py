"""The ways to merge the changes of several adapters into one, matrix by matrix.

weighted  Σ wᵢ ΔWᵢ, exact ("task arithmetic", Ilharco et al. 2023, arXiv:2212.04089).
slerp     along the great circle between two changes (Shoemake 1985), a weighted sum too.
ties      trim, elect a sign, mean of those that agree (Yadav et al. 2023, arXiv:2306.01708).
dare      drop at random and rescale, then Σ wᵢ ΔWᵢ (Yu et al. 2024, arXiv:2311.03099).

The first two keep low rank; the others need the full matrix, which is then decomposed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.engines.fusion.low_rank import (
    Array,
    LowRank,
    decompose,
    inner_product,
    truncate,
    weighted_sum,
)

Method = Literal["weighted", "slerp", "ties", "dare"]

_PARALLEL = 1e-6  # Below this sine of the angle a great circle is a straight line.


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """`weights` one per adapter. `rank` of the result; null is the sum of the ranks.

    `density` is the share of each change that ties and dare keep, above 0 up to 1; `seed` draws
    what dare drops.
    """

    method: Method
    weights: tuple[float, ...]
    rank: int | None = None
    density: float = 0.5
    seed: int = 0


def merge(changes: Sequence[LowRank], settings: MergeSettings) -> tuple[LowRank, float]:
    """One matrix from all adapters, and its relative error against the merge at full rank.

    An adapter without that matrix counts with a change of zero and rank 0 (`zero_like`).
    """
    rank = settings.rank if settings.rank is not None else sum(one.rank for one in changes)
    match settings.method:
        case "weighted":
            return truncate(weighted_sum(changes, settings.weights), rank)
        case "slerp":
            return truncate(weighted_sum(changes, slerp_weights(changes, settings.weights)), rank)
        case "ties":
            whole = ties([one.dense() for one in changes], settings.weights, settings.density)
        case "dare":
            random = np.random.default_rng(settings.seed)
            whole = dare(
                [one.dense() for one in changes], settings.weights, settings.density, random
            )
    return decompose(whole, rank, seed=settings.seed)


def zero_like(change: LowRank) -> LowRank:
    """A change of zero for a matrix of the same shape, of rank 0."""
    return LowRank(change.left[..., :0], change.right[..., :0, :])


def slerp_weights(changes: Sequence[LowRank], weights: Sequence[float]) -> tuple[float, float]:
    """What SLERP multiplies the two changes with: sin((1−t)ω) / sin ω and sin(tω) / sin ω.

    ω is the angle between the changes taken as vectors, t the share of the second weight. Where
    they are parallel, opposite, or one is zero, the path is a straight line.

    Raises ValueError unless there are two of each.
    """
    if len(changes) != 2 or len(weights) != 2:
        raise ValueError(f"slerp takes two adapters, not {len(changes)}")
    t = weights[1] / (weights[0] + weights[1])
    first, second = changes
    lengths = math.sqrt(inner_product(first, first) * inner_product(second, second))
    if lengths <= 0:
        return 1 - t, t
    cosine = max(-1.0, min(1.0, inner_product(first, second) / lengths))
    angle = math.acos(cosine)
    if math.sin(angle) < _PARALLEL:
        return 1 - t, t
    return math.sin((1 - t) * angle) / math.sin(angle), math.sin(t * angle) / math.sin(angle)


def ties(changes: Sequence[Array], weights: Sequence[float], density: float) -> Array:
    """TIES: keep the largest entries of each, elect a sign per entry, average those that agree.

    The sign is that of the weighted sum; the average is weighted as well (λ = 1 of the paper).
    """
    trimmed = np.stack([_trim(change, density) for change in changes])
    shares = np.asarray(weights, np.float64).reshape(-1, *[1] * changes[0].ndim)
    elected = np.sign((shares * trimmed).sum(axis=0))
    agrees = (np.sign(trimmed) == elected) & (trimmed != 0)
    total = (shares * trimmed * agrees).sum(axis=0)
    weight = (shares * agrees).sum(axis=0)
    merged: Array = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return merged


def dare(
    changes: Sequence[Array], weights: Sequence[float], density: float, random: np.random.Generator
) -> Array:
    """DARE: keep each entry with probability `density`, divide by it, and add with the weights."""
    merged: Array = np.zeros_like(changes[0])
    for change, weight in zip(changes, weights, strict=True):
        mask = random.random(change.shape) < density
        merged += weight * np.where(mask, change / density, 0.0)
    return merged


def _trim(change: Array, density: float) -> Array:
    """The `density` share of the entries with the largest size; the others are zero."""
    count = math.ceil(density * change.size)
    if count >= change.size:
        return change
    sizes = np.abs(change)
    smallest = np.partition(sizes, change.size - count, axis=None)[change.size - count]
    trimmed: Array = np.where(sizes >= smallest, change, 0.0)
    return trimmed
