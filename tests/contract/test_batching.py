from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.contract.batching import (
    epoch_batches,
    held_out_batches,
    padded_width,
    shuffled_batches,
    step_seed,
    steps_per_epoch,
)


def length(row: int) -> int:
    return (row * 37) % 101


@settings(deadline=None)
@given(
    rows=st.integers(1, 300),
    batch_size=st.integers(1, 16),
    seed=st.integers(0, 5),
    epoch=st.integers(0, 3),
)
def test_every_row_is_used_exactly_once_per_epoch(
    rows: int, batch_size: int, seed: int, epoch: int
) -> None:
    for batches in (
        list(epoch_batches(range(rows), length, batch_size=batch_size, seed=seed, epoch=epoch)),
        shuffled_batches(range(rows), batch_size=batch_size, seed=seed, epoch=epoch),
    ):
        assert sorted(row for batch in batches for row in batch) == list(range(rows))
        assert len(batches) == steps_per_epoch(rows, batch_size)
        assert sum(len(batch) < batch_size for batch in batches) <= 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        return list(epoch_batches(range(50), length, batch_size=4, seed=seed, epoch=epoch))

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(2, 0)
    assert order(1, 0) != order(1, 1)


def test_the_shuffled_order_is_a_function_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        return shuffled_batches(range(50), batch_size=4, seed=seed, epoch=epoch)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(2, 0)
    assert order(1, 0) != order(1, 1)


def test_rows_of_like_length_share_a_batch() -> None:
    def padding(batches: list[list[int]]) -> int:
        return sum(max(map(length, batch)) * len(batch) - sum(map(length, batch))
                   for batch in batches)  # fmt: skip

    bucketed = list(epoch_batches(range(256), length, batch_size=8, seed=0, epoch=0))
    in_file_order = [list(range(at, at + 8)) for at in range(0, 256, 8)]

    assert padding(bucketed) < padding(in_file_order) / 4


def test_lengths_are_asked_for_window_by_window() -> None:
    asked: list[int] = []

    def counted(row: int) -> int:
        asked.append(row)
        return length(row)

    next(epoch_batches(range(10_000), counted, batch_size=4, seed=0, epoch=0))

    assert len(asked) < 200


def test_validation_is_always_over_the_same_rows() -> None:
    def batches(limit: int) -> list[list[int]]:
        return held_out_batches(range(30), length, batch_size=4, seed=1, limit=limit)

    assert batches(2) == batches(2)
    assert sum(map(len, batches(2))) == 8
    assert sorted(row for batch in batches(-1) for row in batch) == list(range(30))


@pytest.mark.parametrize(
    ("longest", "limit", "width"), [(1, 512, 33), (32, 512, 33), (33, 512, 65), (600, 512, 512)]
)
def test_widths_are_the_engines_own(longest: int, limit: int, width: int) -> None:
    assert padded_width(longest, limit) == width


def test_each_step_draws_its_own_numbers() -> None:
    assert len({step_seed(0, step) for step in range(100)}) == 100
    assert step_seed(3, 7) == step_seed(3, 7)
