"""Low-rank changes of weight matrices: sums, inner products and truncated decompositions.

A LoRA adapter changes a matrix by ΔW = scale · B · A. All is defined on ΔW itself, never on the
factors: A and B of two adapters span different bases, so a mean of the factors is no mean of the
changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_OVERSAMPLING = 10
_POWER_ITERATIONS = 4


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """A matrix as a product: `left` (…, rows, rank) @ `right` (…, rank, columns), float64.

    A leading axis holds the experts of a mixture, each with a matrix of its own.
    """

    left: Array
    right: Array

    @property
    def rank(self) -> int:
        return int(self.left.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the matrix: (…, rows, columns)."""
        return (*self.left.shape[:-1], self.right.shape[-1])

    def dense(self) -> Array:
        """The matrix itself."""
        product: Array = self.left @ self.right
        return product

    def padded(self, rank: int) -> LowRank:
        """The same matrix with factors of `rank`, filled with zeros.

        Raises ValueError for a smaller rank.
        """
        if rank < self.rank:
            raise ValueError(f"rank {rank} is smaller than the {self.rank} of the factors")
        more = rank - self.rank
        before = [(0, 0)] * (self.left.ndim - 1)
        right = np.pad(self.right, [*before[:-1], (0, more), (0, 0)])
        return LowRank(np.pad(self.left, [*before, (0, more)]), right)


def weighted_sum(changes: Sequence[LowRank], weights: Sequence[float]) -> LowRank:
    """Σ wᵢ · ΔWᵢ, exactly: the factors side by side, so the rank is the sum of the ranks."""
    left = np.concatenate([change.left for change in changes], axis=-1)
    scaled = [weight * change.right for change, weight in zip(changes, weights, strict=True)]
    return LowRank(left, np.concatenate(scaled, axis=-2))


def inner_product(a: LowRank, b: LowRank) -> float:
    """The Frobenius inner product ⟨a, b⟩, from the factors alone."""
    left = np.swapaxes(a.left, -1, -2) @ b.left
    right = a.right @ np.swapaxes(b.right, -1, -2)
    return float((left * right).sum())


def truncate(change: LowRank, rank: int) -> tuple[LowRank, float]:
    """The nearest matrix of `rank` (Eckart and Young 1936) and how far off it is.

    The second value is the relative Frobenius error ‖ΔW − ΔW_r‖ / ‖ΔW‖, 0 where ΔW is zero. The
    decomposition is that of the small matrix between two orthonormal bases, so it is exact.
    """
    if rank >= change.rank:
        return change, 0.0
    q_left, r_left = np.linalg.qr(change.left)
    q_right, r_right = np.linalg.qr(np.swapaxes(change.right, -1, -2))
    u, values, v = np.linalg.svd(r_left @ np.swapaxes(r_right, -1, -2), full_matrices=False)
    root = np.sqrt(values[..., :rank])
    left = (q_left @ u[..., :rank]) * root[..., None, :]
    right = root[..., :, None] * (v[..., :rank, :] @ np.swapaxes(q_right, -1, -2))
    return LowRank(left, right), _relative(values[..., rank:], values)


def decompose(matrix: Array, rank: int, *, seed: int = 0) -> tuple[LowRank, float]:
    """A full matrix as factors of `rank`, and the relative Frobenius error of that.

    Small matrices by their singular values; large ones by a randomised range finder with power
    iterations (Halko, Martinsson and Tropp 2011, algorithm 4.4), whose error is measured, not
    estimated: ‖M‖² − ‖QᵀM‖² is what the basis Q misses.
    """
    smaller = min(matrix.shape[-2:])
    rank = min(rank, smaller)
    sampled = rank + _OVERSAMPLING
    if sampled * 4 >= smaller:
        u, values, v = np.linalg.svd(matrix, full_matrices=False)
    else:
        basis = _range(matrix, sampled, np.random.default_rng(seed))
        small, values, v = np.linalg.svd(np.swapaxes(basis, -1, -2) @ matrix, full_matrices=False)
        u = basis @ small
    root = np.sqrt(values[..., :rank])
    factors = LowRank(u[..., :rank] * root[..., None, :], root[..., :, None] * v[..., :rank, :])
    total = float((matrix**2).sum())
    taken = float((values[..., :rank] ** 2).sum())
    return factors, math.sqrt(max(0.0, total - taken) / total) if total else 0.0


def _range(matrix: Array, columns: int, random: np.random.Generator) -> Array:
    """An orthonormal basis of the main directions of the columns of `matrix`."""
    turned = np.swapaxes(matrix, -1, -2)
    start = random.standard_normal((*matrix.shape[:-2], matrix.shape[-1], columns))
    basis, _ = np.linalg.qr(matrix @ start)
    for _ in range(_POWER_ITERATIONS):
        other, _ = np.linalg.qr(turned @ basis)
        basis, _ = np.linalg.qr(matrix @ other)
    return basis


def _relative(lost: Array, values: Array) -> float:
    total = float((values**2).sum())
    return math.sqrt(float((lost**2).sum()) / total) if total else 0.0
