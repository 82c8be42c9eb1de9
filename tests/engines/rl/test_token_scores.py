"""One function of log-probabilities stands in for each of the engine's own, with equal results."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx.utils import tree_flatten

from backend.engines.rl.hooks import replace_attribute
from backend.engines.rl.modes import MODES, Mode
from backend.engines.trainer.token_losses import TokenLosses

pytestmark = pytest.mark.engine

VOCABULARY, WIDTH = 11, 7


class Small(nn.Module):  # type: ignore[misc]  # the engine has no types
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 5)
        self.head = nn.Linear(5, VOCABULARY)

    def __call__(self, tokens: mx.array, cache: Any = None) -> mx.array:
        logits: mx.array = self.head(self.embedding(tokens))
        return logits


def log_probabilities(model: Any, tokens: mx.array, mask: mx.array, start: int) -> mx.array:
    logits = model(tokens[:, :-1])[:, start:].astype(mx.float32)
    losses = nn.losses.cross_entropy(logits, tokens[:, start + 1 :])
    return mx.where(mask, -losses, 0)


def scored(mode: Mode, name: str, model: Small) -> tuple[mx.array, dict[str, mx.array]]:
    """The scores of two answers as the engine asks for them, and their gradient."""
    tokens = mx.array([[1, 2, 3, 4, 5, 6, 0], [7, 8, 9, 1, 2, 0, 0]])
    mask = mx.array([[0, 0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0, 0]])
    if name == "_get_token_logps":
        extra: tuple[Any, ...] = (mask[:, 2:] > 0, 1)
    elif name == "_online_token_logps":
        extra = (mask[:, 1:] > 0,)
    else:
        extra = (mask.astype(mx.float32),)
    module = next(module for module, each in mode.scored_by(OURS) if each == name)

    def total(model: Small) -> Any:
        scores = getattr(module, name)(model, tokens, *extra)
        scores = scores[0] if isinstance(scores, tuple) else scores
        return scores.sum(), scores

    (_, scores), gradient = nn.value_and_grad(model, total)(model)
    return scores, dict(tree_flatten(gradient))


OURS = TokenLosses(log_probabilities=log_probabilities)


@pytest.mark.parametrize(
    "name",
    ["grpo", "klpo", "dpo", "cpo", "orpo", "online_dpo", "xpo", "ppo", "rlhf_reinforce"],
)
def test_the_scores_and_their_gradient_are_the_engines(name: str) -> None:
    mode, model = MODES[name], Small()
    names = [each for _, each in mode.scored_by(OURS)]
    assert names

    for each in names:
        scores, gradient = scored(mode, each, model)
        with replace_attribute(mode.scored_by(OURS)):
            ours, own_gradient = scored(mode, each, model)

        assert mx.allclose(ours, scores, atol=1e-6)
        for tensor, value in gradient.items():
            assert mx.allclose(own_gradient[tensor], value, atol=1e-6), tensor


def test_without_log_probabilities_nothing_of_the_engine_is_replaced() -> None:
    assert all(not mode.scored_by(TokenLosses()) for mode in MODES.values())
