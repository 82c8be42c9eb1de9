"""Intervals that hold the truth, and differences that are paired."""

from __future__ import annotations

import numpy as np
import pytest

from backend.engines.evaluate.bootstrap import (
    difference_of,
    difference_of_ratios,
    mean_of,
    ratio_of,
)


def test_unknown_rows_are_left_out_and_nothing_known_is_no_mean() -> None:
    found = mean_of([1.0, None, 0.0, None])
    assert found is not None
    assert (found.mean, found.rows) == (0.5, 2)
    assert mean_of([None, None]) is None
    assert mean_of([]) is None


def test_one_row_has_a_mean_and_no_interval() -> None:
    found = mean_of([0.25])
    assert found is not None
    assert (found.mean, found.low, found.high, found.rows) == (0.25, None, None, 1)


def test_equal_rows_have_an_interval_of_no_width() -> None:
    found = mean_of([2.0] * 20)
    assert found is not None
    assert (found.low, found.high) == (2.0, 2.0)


def test_the_interval_is_that_of_the_normal_law_where_that_holds() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = mean_of(values.tolist())
    assert found is not None and found.low is not None and found.high is not None
    half = 1.96 * values.std() / 20
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)


def test_the_same_rows_give_the_same_bounds() -> None:
    values = [0.1, 0.9, 0.4, 0.7]
    assert mean_of(values) == mean_of(values)


def test_a_ratio_weighs_rows_by_their_tokens() -> None:
    found = ratio_of([10.0, 1.0, 5.0], [10, 1, 0])
    assert found is not None
    assert (found.mean, found.rows) == (1.0, 2)


def test_a_small_gain_on_every_row_is_sure_although_rows_differ_widely() -> None:
    base = [float(row) for row in range(50)]
    tuned = [value + 0.1 for value in base]
    alone = mean_of(tuned)
    found = difference_of(base, tuned)
    assert found is not None and found.low is not None
    assert found.low > 0.09
    assert alone is not None and alone.low is not None and alone.high is not None
    assert alone.high - alone.low > 1


def test_a_row_that_one_side_lacks_is_in_no_difference() -> None:
    found = difference_of([1.0, None, 3.0], [2.0, 5.0, None])
    assert found is not None
    assert (found.mean, found.rows) == (1.0, 1)
    with pytest.raises(ValueError, match="zip"):
        difference_of([1.0], [1.0, 2.0])


def test_losses_per_token_differ_by_the_difference_of_their_ratios() -> None:
    found = difference_of_ratios(([4.0, 8.0, 2.0], [2, 4, 1]), ([2.0, 4.0, 1.0], [2, 4, 1]))
    assert found is not None
    assert (found.mean, found.low, found.high) == (-1.0, -1.0, -1.0)
    with pytest.raises(ValueError, match="same rows"):
        difference_of_ratios(([1.0], [1]), ([1.0, 2.0], [1, 1]))
