"""Accuracy and margin of preferences, pair by pair.

The engine compares the mean rewards of a batch, so its accuracy of a batch is 0 or 1, and it counts
a tie as wrong: DPO, which begins at its own reference, would begin at 0.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from backend.contract.run.numbers import ValidationNumbers


class Pairs:
    """Listens to a preference loss. Between `begin` and `measured` it also keeps every pair."""

    def __init__(self) -> None:
        self._kept: list[tuple[mx.array, mx.array]] | None = None

    def begin(self) -> None:
        self._kept = []

    def measured(self) -> ValidationNumbers:
        """Over the pairs seen since `begin`: the share in which the chosen answer has the higher
        reward (a tie counts half), and means. Rewards are beta times log-probabilities, less those
        of the reference where there is one.
        """
        pairs, self._kept = self._kept or [], None
        if not pairs:
            return ValidationNumbers()
        chosen = np.concatenate([np.array(pair[0].astype(mx.float32)) for pair in pairs])
        rejected = np.concatenate([np.array(pair[1].astype(mx.float32)) for pair in pairs])
        wins = (chosen > rejected).mean() + 0.5 * (chosen == rejected).mean()
        return ValidationNumbers(
            val_accuracy=float(wins),
            val_margin=float((chosen - rejected).mean()),
            val_rewards_chosen=float(chosen.mean()),
            val_rewards_rejected=float(rejected.mean()),
        )

    def listen(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        """The same loss, with the accuracy and rewards of its metrics put right."""

        def heard(*values: Any, **items: Any) -> Any:
            if values:  # One evaluation passes the first of them by their places.
                items = dict(zip(inspect.signature(loss).parameters, values, strict=False)) | items
            value, reward, tokens, metrics = loss(**items)
            chosen, rejected = _rewards(items)
            if self._kept is not None:
                mx.eval(chosen, rejected)
                self._kept.append((chosen, rejected))
            ties = mx.mean((chosen == rejected).astype(mx.float32))
            right = {
                "accuracies": mx.mean((chosen > rejected).astype(mx.float32)) + 0.5 * ties,
                "margins": mx.mean(chosen - rejected),
                # The engine adds up a fixed list of names; these two say nothing of their own.
                "chosen_logits_mean": mx.mean(chosen),
                "rejected_logits_mean": mx.mean(rejected),
            }
            names = {name: result for name, result in right.items() if name in metrics}
            return value, reward, tokens, metrics | names

        return heard


def _rewards(arguments: dict[str, Any]) -> tuple[mx.array, mx.array]:
    beta = arguments["beta"]
    if "chosen_logps" in arguments:
        chosen, rejected = arguments["chosen_logps"], arguments["rejected_logps"]
    else:
        chosen, rejected = arguments["policy_chosen_score"], arguments["policy_rejected_score"]
        if "reference_chosen_score" in arguments:
            chosen = chosen - arguments["reference_chosen_score"]
            rejected = rejected - arguments["reference_rejected_score"]
    return beta * chosen, beta * rejected
