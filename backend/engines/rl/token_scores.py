"""The engine's own ways to score given tokens, made from one function of log-probabilities.

A row of `modes.py` names which function of its module each of them takes the place of. Chunks with
a prompt cache (`seq_step_size`) stay the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx

from backend.engines.trainer.token_losses import LogProbabilities

Score = Callable[..., Any]
Substitute = Callable[[Score, LogProbabilities], Score]


def completion_scores(_engine: Score, log_probabilities: LogProbabilities) -> Score:
    """In the place of `_get_token_logps(model, inputs, mask, start)`."""

    def scores(model: Any, inputs: mx.array, mask: mx.array, start: int = 0) -> mx.array:
        return log_probabilities(model, inputs, mask, start)

    return scores


def pair_scores(engine: Score, log_probabilities: LogProbabilities) -> Score:
    """In the place of `get_token_scores(model, x, mask, cache)`: of shape (rows, width - 1)."""

    def scores(model: Any, x: mx.array, mask: mx.array, cache: Any = None) -> Any:
        if cache is not None:
            return engine(model, x, mask, cache=cache)
        return log_probabilities(model, x, mask[:, 1:] > 0, 0)

    return scores


def mean_scores(engine: Score, log_probabilities: LogProbabilities) -> Score:
    """In the place of `get_logps(model, tokens, mask, cache)`: means over each answer, and the mean
    logit, which is no longer known and which no report of ours shows (`preferences.py`).
    """

    def scores(model: Any, tokens: mx.array, mask: mx.array, cache: Any = None) -> Any:
        if cache is not None:
            return engine(model, tokens, mask, cache)
        answer = mask[:, 1:] > 0
        clipped = mx.clip(log_probabilities(model, tokens, answer, 0), -1000.0, 0.0)
        return clipped.sum(-1) / mx.maximum(answer.sum(-1), 1), mx.array(0.0)

    return scores
