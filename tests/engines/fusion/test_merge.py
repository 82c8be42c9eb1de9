"""Merged changes beside a direct computation on dense matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.engines.fusion.low_rank import LowRank, decompose, inner_product, truncate
from backend.engines.fusion.merge import (
    MergeSettings,
    dare,
    merge,
    slerp_weights,
    ties,
    zero_like,
)

ROWS, COLUMNS = 24, 40


def change(seed: int, rank: int, *, experts: int = 0) -> LowRank:
    random = np.random.default_rng(seed)
    stack = (experts,) if experts else ()
    return LowRank(
        random.standard_normal((*stack, ROWS, rank)),
        random.standard_normal((*stack, rank, COLUMNS)),
    )


@pytest.mark.parametrize("experts", [0, 3])
def test_a_weighted_sum_of_different_ranks_is_exact(experts: int) -> None:
    sources = [change(seed, rank, experts=experts) for seed, rank in ((1, 2), (2, 5), (3, 3))]
    weights = (0.5, 0.3, -0.2)

    merged, error = merge(sources, MergeSettings(method="weighted", weights=weights))

    direct = sum(w * one.dense() for w, one in zip(weights, sources, strict=True))
    assert merged.rank == 10
    assert error == 0.0
    np.testing.assert_allclose(merged.dense(), direct, atol=1e-12)


def test_a_matrix_that_one_adapter_lacks_counts_as_zero() -> None:
    source = change(1, 4)
    both = [source, zero_like(source)]

    merged, _ = merge(both, MergeSettings(method="weighted", weights=(0.25, 0.75)))

    assert merged.rank == 4
    np.testing.assert_allclose(merged.dense(), 0.25 * source.dense(), atol=1e-12)


@pytest.mark.parametrize("experts", [0, 2])
def test_a_reduced_rank_is_the_best_there_is_and_its_error_is_told(experts: int) -> None:
    source = change(4, 8, experts=experts)

    reduced, error = truncate(source, 3)

    whole = source.dense()
    values = np.linalg.svd(whole, compute_uv=False)
    best = math.sqrt((values[..., 3:] ** 2).sum() / (values**2).sum())
    measured = np.linalg.norm(reduced.dense() - whole) / np.linalg.norm(whole)
    assert reduced.rank == 3
    assert error == pytest.approx(best)
    assert measured == pytest.approx(best)


def test_a_large_matrix_is_decomposed_with_its_measured_error() -> None:
    random = np.random.default_rng(0)
    low = random.standard_normal((300, 6)) @ random.standard_normal((6, 400))
    noisy = low + 0.01 * random.standard_normal((300, 400))

    made, error = decompose(noisy, 6)

    measured = np.linalg.norm(made.dense() - noisy) / np.linalg.norm(noisy)
    values = np.linalg.svd(noisy, compute_uv=False)
    best = math.sqrt((values[6:] ** 2).sum() / (values**2).sum())
    assert error == pytest.approx(measured, rel=1e-6)
    assert error <= best * 1.01


def test_slerp_stays_on_the_sphere_between_two_changes_of_one_length() -> None:
    first, second = change(1, 4), change(2, 4)
    ratio = math.sqrt(inner_product(first, first) / inner_product(second, second))
    second = LowRank(second.left, ratio * second.right)

    merged, error = merge([first, second], MergeSettings(method="slerp", weights=(0.5, 0.5)))

    a, b = first.dense().ravel(), second.dense().ravel()
    angle = math.acos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    direct = (math.sin(angle / 2) / math.sin(angle)) * (a + b)
    assert error == 0.0
    np.testing.assert_allclose(merged.dense().ravel(), direct, atol=1e-10)
    assert np.linalg.norm(merged.dense()) == pytest.approx(np.linalg.norm(a))


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0])
def test_slerp_of_parallel_opposite_or_no_changes_is_a_straight_line(factor: float) -> None:
    first = change(1, 2)
    second = LowRank(first.left, factor * first.right)

    assert slerp_weights([first, second], (0.75, 0.25)) == pytest.approx((0.75, 0.25))


def test_slerp_of_three_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="two adapters, not 3"):
        slerp_weights([change(1, 1)] * 3, (1, 1, 1))


def test_ties_trims_elects_and_averages_those_that_agree() -> None:
    """Worked out by hand after section 3 of the paper."""
    first = np.array([[4.0, -3.0, 0.1, 2.0]])
    second = np.array([[2.0, 5.0, -0.2, 0.3]])

    merged = ties([first, second], (1.0, 1.0), density=0.5)

    # Kept: 4, −3 of the first and 2, 5 of the second; the sign of −3 + 5 is plus.
    assert merged.tolist() == [[3.0, 5.0, 0.0, 0.0]]


def test_ties_at_full_density_of_one_adapter_is_that_adapter() -> None:
    source = change(3, 2).dense()

    np.testing.assert_allclose(ties([source], (0.7,), density=1.0), source)


def test_dare_keeps_the_expected_change_and_draws_by_its_seed() -> None:
    source = np.ones((200, 200))

    merged = dare([source], (1.0,), 0.25, np.random.default_rng(1))
    again = dare([source], (1.0,), 0.25, np.random.default_rng(1))

    assert set(np.unique(merged)) == {0.0, 4.0}
    assert merged.mean() == pytest.approx(1.0, abs=0.03)
    assert (merged == again).all()


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_a_dense_merge_comes_back_at_the_asked_rank_with_its_error(method: str) -> None:
    settings = MergeSettings(method=method, weights=(0.5, 0.5), rank=4, density=0.5)  # type: ignore[arg-type]
    sources = [change(1, 3), change(2, 3)]

    merged, error = merge(sources, settings)

    assert merged.rank == 4
    assert 0 < error < 1


def test_padding_changes_no_value() -> None:
    source = change(5, 3, experts=2)

    padded = source.padded(7)

    assert padded.rank == 7
    np.testing.assert_array_equal(padded.dense(), source.dense())
    with pytest.raises(ValueError, match="smaller than the 3"):
        source.padded(2)
