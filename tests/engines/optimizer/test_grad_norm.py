"""The norm of a gradient is measured as NumPy would, and a limit shortens the step."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

from backend.contract.run.config import Optimization
from backend.engines.optimizer.build import build_optimizer
from backend.engines.optimizer.grad_norm import GRAD_NORM, global_norm

GRADIENT = {"layers": [{"a": mx.array([3.0, 0.0]), "b": mx.array([[0.0], [4.0]])}]}
WEIGHTS = {"layers": [{"a": mx.zeros(2), "b": mx.zeros((2, 1))}]}


def optimizer(limit: float | None = None, name: str = "sgd") -> optim.Optimizer:
    return build_optimizer(
        Optimization(
            optimizer=name,
            optimizer_config={},
            learning_rate=0.5,
            lr_schedule=None,
            max_grad_norm=limit,
        )
    )


def stepped(made: optim.Optimizer) -> Any:
    return made.apply_gradients(GRADIENT, WEIGHTS)["layers"][0]


def test_the_norm_is_over_all_leaves() -> None:
    assert global_norm(GRADIENT).item() == 5.0


def test_squares_of_halves_do_not_overflow() -> None:
    half = {"a": mx.full((4,), 3e4, dtype=mx.float16)}
    assert global_norm(half).item() == pytest.approx(6e4, rel=1e-3)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "adafactor"])
def test_an_update_without_a_limit_is_the_engine_s_own(name: str) -> None:
    plain = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}.get(name, optim.Adafactor)
    theirs = plain(learning_rate=0.5).apply_gradients(GRADIENT, WEIGHTS)["layers"][0]
    made = optimizer(name=name)
    ours = stepped(made)

    assert made.state[GRAD_NORM].item() == 5.0
    for key in ("a", "b"):
        assert np.array_equal(np.array(ours[key]), np.array(theirs[key]))


def test_a_long_gradient_is_shortened_to_the_limit() -> None:
    made = optimizer(1.0)
    moved = stepped(made)

    assert made.state[GRAD_NORM].item() == 5.0, "measured before it is limited"
    assert np.array(moved["a"]) == pytest.approx([-0.3, 0.0], abs=1e-6)
    assert np.array(moved["b"]).ravel() == pytest.approx([0.0, -0.4], abs=1e-6)


def test_a_short_gradient_is_left_alone() -> None:
    assert np.array(stepped(optimizer(10.0))["a"]) == pytest.approx([-1.5, 0.0])
