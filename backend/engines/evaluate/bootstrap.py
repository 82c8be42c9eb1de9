"""How sure a mean is: percentile bootstrap intervals over rows, and of paired differences.

Rows are drawn anew with replacement (Efron 1979); the 2.5th and 97.5th percentile of the means of
`RESAMPLES` draws bound the interval. Draws come from a fixed seed, so equal rows give equal bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backend.contract.jobs.evaluation import Estimate

RESAMPLES = 10_000
_LEVEL = (2.5, 97.5)
_SEED = 20_240_501
_AT_ONCE = 1 << 20  # Drawn indices at a time, which bounds the memory.

_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def mean_of(values: Sequence[float | None]) -> Estimate | None:
    """The mean of what is known; None when nothing is."""
    numbers = np.array([value for value in values if value is not None], np.float64)
    return _ratio(numbers, np.ones_like(numbers)) if numbers.size else None


def ratio_of(sums: Sequence[float], counts: Sequence[float]) -> Estimate | None:
    """Σ sums / Σ counts, with whole rows drawn: loss per token from each row's loss and tokens."""
    weights = np.array(counts, np.float64)
    mask = weights > 0
    return _ratio(np.array(sums, np.float64)[mask], weights[mask]) if mask.any() else None


def difference_of(base: Sequence[float | None], tuned: Sequence[float | None]) -> Estimate | None:
    """The mean of tuned − base over the rows that both have: paired, so row by row.

    Raises ValueError when the two are not of the same rows.
    """
    pairs = zip(base, tuned, strict=True)
    return mean_of([None if b is None or t is None else t - b for b, t in pairs])


def difference_of_ratios(
    base: tuple[Sequence[float], Sequence[float]], tuned: tuple[Sequence[float], Sequence[float]]
) -> Estimate | None:
    """Σ/Σ of tuned − Σ/Σ of base, the same rows drawn for both. Raises ValueError as above."""
    sides = [np.array(side, np.float64) for side in (*base, *tuned)]
    if len({side.size for side in sides}) != 1:
        raise ValueError("The two sides are not of the same rows.")
    mask = (sides[1] > 0) & (sides[3] > 0)
    if not mask.any():
        return None
    a, n, b, m = (side[mask] for side in sides)
    rows = int(mask.sum())
    mean = float(b.sum() / m.sum() - a.sum() / n.sum())
    if rows < 2:
        return Estimate(mean=mean, low=None, high=None, rows=rows)
    drawn = [b[i].sum(1) / m[i].sum(1) - a[i].sum(1) / n[i].sum(1) for i in _draws(rows)]
    return _bounded(mean, drawn, rows)


def _ratio(sums: _Floats, weights: _Floats) -> Estimate:
    rows, mean = sums.size, float(sums.sum() / weights.sum())
    if rows < 2:
        return Estimate(mean=mean, low=None, high=None, rows=rows)
    return _bounded(mean, [sums[i].sum(1) / weights[i].sum(1) for i in _draws(rows)], rows)


def _bounded(mean: float, drawn: Sequence[_Floats], rows: int) -> Estimate:
    low, high = np.percentile(np.concatenate(drawn), _LEVEL)
    return Estimate(mean=mean, low=float(low), high=float(high), rows=rows)


def _draws(rows: int) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    chance = np.random.default_rng(_SEED)
    left = RESAMPLES
    while left:
        now = min(left, max(1, _AT_ONCE // rows))
        yield chance.integers(0, rows, (now, rows))
        left -= now
