"""Losses and log-probabilities of given tokens: every method of a run takes its own from here.

`token_losses` chooses them once, when the adapters are attached. The loop of supervised fine-tuning
and its evaluation take the two losses; `rl/modes.py` says which of the engine's functions the
log-probabilities stand in for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.tuner.trainer import default_loss

from backend.contract.run.config import RunConfig

Loss = Callable[[Any, mx.array, mx.array], tuple[mx.array, mx.array]]
LogProbabilities = Callable[[Any, mx.array, mx.array, int], mx.array]


def masked_loss(model: Any, batch: mx.array, mask: mx.array) -> tuple[mx.array, mx.array]:
    """The engine's `default_loss` for a mask of any shape: mean per learned token, and how many."""
    logits = model(batch[:, :-1])
    losses = nn.losses.cross_entropy(logits, batch[:, 1:]) * mask
    count = mask.sum()
    return losses.astype(mx.float32).sum() / count, count


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLosses:
    """The functions of one run; without others, the engine's own.

    `of_borders` and `of_mask` take (model, tokens of shape (rows, width), what is learned): per row
    (start, end), or a mask of shape (rows, width - 1). They answer the mean per learned token and
    the number of those tokens.

    `log_probabilities` takes (model, tokens, mask, start): the model, or the reference it is
    compared with; a boolean mask of shape (rows, width - 1 - start) over the tokens after position
    `start`. It answers float32 of the mask's shape, 0 where the mask is off, with gradients in the
    model's weights. None: each of the engine's functions computes its own.
    """

    of_borders: Loss = default_loss
    of_mask: Loss = masked_loss
    log_probabilities: LogProbabilities | None = None


def token_losses(model: nn.Module, config: RunConfig) -> TokenLosses:
    """The functions for this model as it is trained, before its first step."""
    return TokenLosses()
