"""What each optimizer keeps beside the weights, as the server estimates it."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten

from backend.contract.run.config import Optimization
from backend.engines.optimizer.build import build_optimizer
from backend.training.estimate.optimizer_state import state_copies
from backend.training.plan.run_config import optimizer_options
from tests.training.requests import request

WIDTH = 1024


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon", "sgd", "adafactor"])
@pytest.mark.parametrize("shape", [{"lora_rank": 8}, {"lora_rank": 64}, {"fine_tune_type": "full"}])
@pytest.mark.parametrize("beta", [{}, {"beta1": 0.9}])
def test_the_state_is_as_large_as_it_is_estimated(
    optimizer: str, shape: dict[str, Any], beta: dict[str, Any]
) -> None:
    asked = request(optimizer=optimizer, **shape, **(beta if optimizer == "adafactor" else {}))
    rank = asked.lora_rank
    whole = {"weight": mx.zeros((WIDTH, WIDTH))}
    adapter = {"lora_a": mx.zeros((WIDTH, rank)), "lora_b": mx.zeros((rank, WIDTH))}
    weights = whole if asked.fine_tune_type == "full" else adapter
    made = build_optimizer(
        Optimization(
            optimizer=optimizer,
            optimizer_config={optimizer: optimizer_options(asked)},
            learning_rate=1e-4,
            lr_schedule=None,
        )
    )

    made.init(weights)

    kept = sum(value.size for _, value in tree_flatten({n: made.state[n] for n in weights}))
    trained = sum(value.size for value in weights.values())
    assert kept / trained == pytest.approx(state_copies(asked), abs=0.005)
