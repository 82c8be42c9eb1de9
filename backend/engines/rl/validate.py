"""A validation or test of a run: the engine's own evaluation, and all that can be known from it.

The engine's trainers throw away what their evaluations find out, apart from the loss, and weigh it
by the length of batches. Rewards are means over completions here, accuracies over pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.contract.run.events import Tested, Validation
from backend.contract.run.numbers import Metric, ValidationNumbers
from backend.engines.rl.batches import RlFeed
from backend.engines.rl.data import RlSet
from backend.engines.rl.hooks import Halted
from backend.engines.rl.modes import Mode, call
from backend.engines.rl.preferences import Pairs
from backend.engines.rl.rollouts import Rollouts
from backend.engines.rl.scorer import Scorer

# The engine's names of what it measures of pairs and of next tokens, and ours.
_NAMES: Sequence[tuple[str, Callable[[float], ValidationNumbers]]] = (
    ("accuracies", lambda value: ValidationNumbers(val_accuracy=value)),
    ("chosen_win", lambda value: ValidationNumbers(val_accuracy=value)),
    ("margins", lambda value: ValidationNumbers(val_margin=value)),
    ("mean_delta", lambda value: ValidationNumbers(val_margin=value)),
)


class Measure:
    """Measures a set as `given` says: what the engine's evaluation may want, by its names.

    `rollouts` are the completions of the last measurement, for samples.
    """

    def __init__(
        self,
        mode: Mode,
        given: Mapping[str, Any],
        *,
        feed: RlFeed,
        scorer: Scorer,
        pairs: Pairs,
        has_kl: bool,
    ) -> None:
        self.rollouts = Rollouts()
        self._mode = mode
        self._given = given
        self._feed = feed
        self._scorer = scorer
        self._pairs = pairs
        self._has_kl = has_kl

    def __call__(self, which: RlSet, batches: int, *, step: int) -> Validation | None:
        """The validation after `step` steps over up to `batches` batches, -1 for all of them; None
        when it was cut short.
        """
        self._feed.held_out, self._feed.held_out_batches = which.rows, batches
        training = self._scorer.take()  # Of steps that have not been reported yet.
        self._pairs.begin()
        started = time.perf_counter()
        try:
            loss, *rest, metrics = call(self._mode.evaluate, self._parameters(which))
        except Halted:
            return None
        finally:
            self.rollouts, self._scorer.rollouts = self._scorer.rollouts, training
            pairs = self._pairs.measured()
            self._given["model"].train()
        seconds = time.perf_counter() - started
        numbers = self._known(metrics, rest) | pairs.set_fields() | self._rewarded()
        return Validation(step=step, val_loss=float(loss), val_time=seconds, **numbers)

    def _parameters(self, which: RlSet) -> dict[str, Any]:
        arguments = self._given["args"]
        return {
            **vars(arguments),
            **self._given,
            "dataset": which.dataset,
            "num_batches": -1,  # The feed ends by itself.
            "max_tokens": getattr(arguments, "max_completion_length", None),
            "alpha": getattr(arguments, "alpha", [0.0])[-1],
        }

    def _known(self, metrics: Mapping[str, float], rest: list[Any]) -> dict[str, Any]:
        """What the engine itself measured that holds as it is."""
        found: dict[str, Any] = {}
        if self._has_kl and "kl" in metrics:
            found |= ValidationNumbers(val_kl=metrics["kl"]).set_fields()
        for theirs, number in _NAMES:
            if theirs in metrics and self._mode.family.measures:
                found |= number(float(metrics[theirs])).set_fields()
        if self._mode.family.pairs and rest and isinstance(rest[0], list):
            chosen, rejected = rest[0]
            found |= ValidationNumbers(
                val_rewards_chosen=chosen, val_rewards_rejected=rejected
            ).set_fields()
        return found

    def _rewarded(self) -> dict[str, Any]:
        rollouts, names = self.rollouts, self._scorer.names
        found: dict[str, Any] = {}
        if rollouts.lengths:
            length = float(np.mean(rollouts.lengths))
            found |= ValidationNumbers(val_completion_length=length).set_fields()
        if not rollouts.totals:
            return found
        means = {name: rollouts.scores(name) for name in names}
        rewards = ValidationNumbers(
            val_reward=float(np.mean(rollouts.totals)),
            val_reward_std=float(np.std(rollouts.totals)),
            val_success_rate=self._scorer.success_rate(rollouts),
            val_rewards={
                name: float(np.mean(scores)) if scores else None for name, scores in means.items()
            },
        )
        return found | rewards.set_fields()


def tested(found: Validation) -> Tested:
    """The same numbers, measured on the test set."""
    numbers = {
        name.replace("val_", "test_", 1): value
        for name, value in found.set_fields().items()
        if name.startswith("val_") and name != "val_time"
    }
    return Tested(step=found.step, test_perplexity=None, **numbers)


def measured_as(metric: Metric) -> str:
    """How the metric that best goes by is called in a sentence."""
    return "validation " + metric.removeprefix("val_")
