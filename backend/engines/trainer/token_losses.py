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
import numpy as np
from mlx import nn
from mlx_lm.tuner.trainer import default_loss

from backend.engines.loss.linear_cross_entropy import linear_cross_entropy
from backend.engines.loss.output_head import NoOutputHead, OutputHead

Loss = Callable[[Any, mx.array, mx.array], tuple[mx.array, mx.array]]
LogProbabilities = Callable[[Any, mx.array, mx.array, int], mx.array]


def masked_loss(model: Any, batch: mx.array, mask: mx.array) -> tuple[mx.array, mx.array]:
    """The engine's `default_loss` for a mask of any shape: mean per learned token, and how many."""
    logits = model(batch[:, :-1])
    losses = nn.losses.cross_entropy(logits, batch[:, 1:]) * mask
    count = mask.sum()
    return losses.astype(mx.float32).sum() / count, count


def positions_loss(head: OutputHead) -> Loss:
    """`masked_loss` for the positions that are learned, the only ones that go through the head.

    They come as an array of shape (2, n) from `learned_positions`. Gradients are prepared while the
    model is in training; a validation needs none.
    """

    def loss(model: Any, batch: mx.array, learned: mx.array) -> tuple[mx.array, mx.array]:
        at, counted = learned
        hidden = head.hidden(batch[:, :-1], model).flatten(0, 1)[at]
        losses = linear_cross_entropy(
            head,
            hidden,
            batch[:, 1:].flatten()[at],
            rows=head.chunk_rows,
            gradient=model.training,
        )
        count = counted.sum()
        return (losses * counted).sum() / count, count

    return loss


def log_probabilities(model: Any, head: OutputHead) -> LogProbabilities:
    """Of the tokens where the mask is on, the only ones whose positions go through the head, as far
    as the mask is known: inside `mx.compile` it is not, and all go through, a few at a time.

    The reference may be the model itself with its adapters off, or another model.
    """
    others: dict[int, OutputHead | None] = {}

    def scores(network: Any, tokens: mx.array, mask: mx.array, start: int = 0) -> mx.array:
        own = network.layers[0] is model.layers[0]
        used = head if own else _head_of(network, others)
        targets = tokens[:, start + 1 :]
        if used is None:
            logits = network(tokens[:, :-1])[:, start:].astype(mx.float32)
            return mx.where(mask, -nn.losses.cross_entropy(logits, targets), 0)
        hidden = used.hidden(tokens[:, :-1], network)[:, start:].flatten(0, 1)
        at = _known_positions(mask)
        if at is not None and not len(at):
            return mx.zeros(mask.shape)
        losses = linear_cross_entropy(
            used,
            hidden if at is None else hidden[at],
            targets.flatten() if at is None else targets.flatten()[at],
            rows=used.chunk_rows,
            gradient=network is model and model.training,
        )
        if at is None:
            return mx.where(mask, -losses.reshape(mask.shape), 0)
        return mx.zeros(mask.size).at[at].add(-losses).reshape(mask.shape)

    return scores


def _head_of(model: Any, others: dict[int, OutputHead | None]) -> OutputHead | None:
    if id(model) not in others:
        try:
            others[id(model)] = OutputHead(model, training=False)
        except NoOutputHead:
            others[id(model)] = None
    return others[id(model)]


def _known_positions(mask: mx.array) -> mx.array | None:
    """Where a mask is on, as indices into the flat mask; None inside `mx.compile`."""
    try:
        return mx.array(np.flatnonzero(np.array(mask)))
    except ValueError:  # "Attempting to eval an array during function transformations".
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLosses:
    """The functions of one run; without others, the engine's own.

    `of_borders` and `of_mask` take (model, tokens of shape (rows, width), what is learned): per row
    (start, end), or a mask of shape (rows, width - 1). They answer the mean per learned token and
    the number of those tokens. `of_positions`, where there is one, is the same for an array of
    `learned_positions`, in less memory and time.

    `log_probabilities` takes (model, tokens, mask, start): the model, or the reference it is
    compared with; a boolean mask of shape (rows, width - 1 - start) over the tokens after position
    `start`. It answers float32 of the mask's shape, 0 where the mask is off, with gradients in the
    model's weights. None: each of the engine's functions computes its own.
    """

    of_borders: Loss = default_loss
    of_mask: Loss = masked_loss
    of_positions: Loss | None = None
    log_probabilities: LogProbabilities | None = None
    description: str = "Loss: over the logits of all positions at once."  # For the log.


def token_losses(model: nn.Module) -> TokenLosses:
    """The functions for this model as it is trained, before its first step."""
    try:
        head = OutputHead(model, training=True)
    except NoOutputHead as reason:
        return TokenLosses(
            description=f"Loss: over the logits of all positions at once, because {reason}."
        )
    return TokenLosses(
        of_positions=positions_loss(head),
        log_probabilities=log_probabilities(model, head),
        description="Loss: only learned positions go through the output head, "
        f"{head.chunk_rows} at a time.",
    )
