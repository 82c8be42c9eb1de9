from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.utils import load

from backend.contract.batching import padded_width
from backend.contract.step_parts import Part, in_parts
from backend.engines.process.token_types import Item
from backend.engines.sft.batches import Learned, collate
from backend.engines.sft.loss import over_parts
from backend.engines.trainer.token_losses import masked_loss

pytestmark = pytest.mark.engine

LIMIT = 128


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=20),
    limit=st.sampled_from([40, 512, 2048]),
)
def test_every_row_is_in_one_part_and_fits(lengths: list[int], limit: int) -> None:
    parts = in_parts(lengths, limit)

    assert sorted(row for part in parts for row in part.rows) == list(range(len(lengths)))
    assert len(parts) <= 2
    for part in parts:
        # One place more than the row: the engine learns the first padding after it too.
        assert all(min(lengths[row] + 1, limit) <= part.width <= limit for row in part.rows)
    whole = len(lengths) * padded_width(max(lengths), limit)
    assert sum(part.padded for part in parts) <= whole


@pytest.mark.parametrize("lengths", [[300], [70, 70, 70, 70], [65, 96, 80, 71], [900, 600, 2000]])
def test_without_padding_to_save_a_step_is_the_engines_own(lengths: list[int]) -> None:
    whole = Part(tuple(range(len(lengths))), padded_width(max(lengths), 512))

    assert in_parts(lengths, 512) == (whole,)


def test_short_and_long_rows_are_apart() -> None:
    assert in_parts([20, 400, 30, 10, 31, 25, 410, 9], 512) == (
        Part((7, 3, 0, 5, 2, 4), 33),
        Part((1, 6), 512),
    )


def test_two_parts_come_in_few_shapes() -> None:
    shapes = {
        tuple(part.width for part in in_parts([short] * 4 + [long] * 4, 4096))
        for short, long in itertools.combinations(range(32, 2049, 32), 2)
    }

    assert sum(len(widths) == 2 for widths in shapes) < 80  # Of 2016 pairs of lengths.


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    return load(str(tiny_model))[0]


@pytest.mark.parametrize("masked", [False, True])
def test_loss_and_gradient_are_those_of_the_whole_step(model: Any, masked: bool) -> None:
    items = [item(length, masked=masked) for length in (9, 120, 20, 127, 30, 5, 140, 14)]
    parts = in_parts([len(tokens) for tokens, _ in items], LIMIT)
    assert len(parts) == 2
    loss = over_parts(masked_loss if masked else default_loss)
    learned: Learned = "mask" if masked else "borders"
    apart = [
        array
        for part in parts
        for array in collate(
            [items[at] for at in part.rows], LIMIT, learned=learned, width=part.width
        )
    ]

    (whole_loss, whole_count), whole = gradient(
        model, loss, *collate(items, LIMIT, learned=learned)
    )
    (parts_loss, parts_count), both = gradient(model, loss, *apart)

    assert parts_count == whole_count
    assert parts_loss == pytest.approx(whole_loss, abs=1e-5)
    for name, expected in whole.items():
        assert mx.allclose(both[name], expected, rtol=1e-3, atol=1e-6), name


def item(length: int, *, masked: bool) -> Item:
    tokens = [3 + (7 * at + length) % 40 for at in range(length)]
    return tokens, ((2, 4), (length // 2, length - 1)) if masked else ((0, length),)


def gradient(model: Any, loss: Any, *arrays: mx.array) -> tuple[Any, dict[str, mx.array]]:
    (mean, count), grads = nn.value_and_grad(model, loss)(model, *arrays)
    return (mean.item(), count.item()), dict(tree_flatten(grads))
