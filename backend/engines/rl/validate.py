"""A validation or test of a run: the engine's own evaluation, and all that can be known from it.

The engine's trainers throw away what their evaluations find out, apart from the loss, and weigh it
by the length of batches. Rewards are means over completions here, accuracies over pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.contract.run.events import Validation
from backend.contract.run.numbers import ValidationNumbers
from backend.engines.rl.modes import Mode, call
from backend.engines.rl.preferences import Pairs
from backend.engines.rl.rollouts import Rollouts
from backend.engines.rl.scorer import Scorer
from backend.engines.trainer.types import DataSet

# The engine's names of what it measures of pairs and of next tokens, and ours.
_NAMES: Sequence[tuple[str, Callable[[float], ValidationNumbers]]] = (
    ("accuracies", lambda value: ValidationNumbers(val_accuracy=value)),
    ("chosen_win", lambda value: ValidationNumbers(val_accuracy=value)),
    ("margins", lambda value: ValidationNumbers(val_margin=value)),
    ("mean_delta", lambda value: ValidationNumbers(val_margin=value)),
)


class Measure:
    """Measures held-out rows by the engine's evaluation. `rollouts` are the completions of the last
    measurement, for samples.
    """

    def __init__(self, mode: Mode, *, scorer: Scorer, pairs: Pairs, has_kl: bool) -> None:
        self.rollouts = Rollouts()
        self._mode = mode
        self._scorer = scorer
        self._pairs = pairs
        self._has_kl = has_kl

    def __call__(self, which: DataSet, arguments: Mapping[str, Any], *, step: int) -> Validation:
        """The validation after `step` steps; `arguments` has what the evaluation may want, by its
        names. Raises Halted when it is cut short.
        """
        training = self._scorer.take()  # Of steps that have not been reported yet.
        self._pairs.begin()
        start = time.perf_counter()
        try:
            loss, *rest, metrics = call(self._mode.evaluate, _parameters(which, arguments))
        finally:
            self.rollouts, self._scorer.rollouts = self._scorer.rollouts, training
            pairs = self._pairs.measured()
            arguments["model"].train()
        seconds = time.perf_counter() - start
        numbers = self._known(metrics, rest) | pairs.set_fields() | self._rewarded()
        return Validation(step=step, val_loss=float(loss), val_time=seconds, **numbers)

    def _known(self, metrics: Mapping[str, float], rest: list[Any]) -> dict[str, Any]:
        """What the engine itself measured that holds as it is."""
        numbers: dict[str, Any] = {}
        if self._has_kl and "kl" in metrics:
            numbers |= ValidationNumbers(val_kl=metrics["kl"]).set_fields()
        for theirs, number in _NAMES:
            if theirs in metrics and self._mode.family.measures:
                numbers |= number(float(metrics[theirs])).set_fields()
        if self._mode.family.pairs and rest and isinstance(rest[0], list):
            chosen, rejected = rest[0]
            numbers |= ValidationNumbers(
                val_rewards_chosen=chosen, val_rewards_rejected=rejected
            ).set_fields()
        return numbers

    def _rewarded(self) -> dict[str, Any]:
        rollouts, names = self.rollouts, self._scorer.names
        numbers: dict[str, Any] = {}
        if rollouts.lengths:
            length = float(np.mean(rollouts.lengths))
            numbers |= ValidationNumbers(val_completion_length=length).set_fields()
        if not rollouts.totals:
            return numbers
        means = {name: rollouts.scores(name) for name in names}
        rewards = ValidationNumbers(
            val_reward=float(np.mean(rollouts.totals)),
            val_reward_std=float(np.std(rollouts.totals)),
            val_success_rate=self._scorer.success_rate(rollouts),
            val_rewards={
                name: float(np.mean(scores)) if scores else None for name, scores in means.items()
            },
        )
        return numbers | rewards.set_fields()


def _parameters(which: DataSet, value: Mapping[str, Any]) -> dict[str, Any]:
    arguments = vars(value["args"])
    return {
        **arguments,
        **value,
        "dataset": which.dataset,
        "num_batches": -1,  # The feed ends by itself.
        "max_tokens": arguments.get("max_completion_length"),
        "alpha": arguments.get("alpha", [0.0])[-1],
    }
