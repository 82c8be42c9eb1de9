"""The numbers that training by reward or by preference adds to a run, as they are shown.

Their list is `contract/run/numbers.py`: an event has them when the engine said so, the latest
numbers when any event did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel

from backend.contract.run import numbers as run_numbers
from backend.contract.run.numbers import FunctionReward, Metric, RewardNumbers, ValidationNumbers

__all__ = ["FunctionReward", "Metric", "RewardNumbers", "SampleData", "ValidationNumbers"]


MOST_ANSWERED = 32  # Validations of which a page shows the answers; events.jsonl has them all.


class SampleData(BaseModel, run_numbers.SampleRecord):
    """A completion that was made while training, and what each reward function gave for it.

    `total` is the weighted sum. `answer` is what the row says is right, `split` where it is from:
    a row, or one of the run's own sample prompts. Those of step 0 are the base model's answers.
    """


class SampleAnswers:
    """The answers to a run's sample prompts, by step and prompt. One that comes again, as after a
    resume, takes the old one's place; of a long run every other step between the first and the
    last is left out.
    """

    def __init__(self) -> None:
        self._steps: dict[int, dict[str, SampleData]] = {}

    def add(self, sample: SampleData) -> None:
        if sample.step not in self._steps and len(self._steps) >= MOST_ANSWERED:
            for step in sorted(self._steps)[1::2]:
                del self._steps[step]
        self._steps.setdefault(sample.step, {})[sample.prompt] = sample

    def all(self) -> list[SampleData]:
        """By step, and within a step as they came."""
        return [sample for step in sorted(self._steps) for sample in self._steps[step].values()]


def reward_columns(rewards: Mapping[str, FunctionReward] | None) -> dict[str, float | None]:
    """`reward/<function>` → its mean."""
    return {f"reward/{name}": each.mean for name, each in (rewards or {}).items()}


def val_reward_columns(rewards: Mapping[str, float | None] | None) -> dict[str, float | None]:
    """`val_reward/<function>` → its mean."""
    return {f"val_reward/{name}": mean for name, mean in (rewards or {}).items()}


def shown(value: float | None) -> float | None:
    """A number as it may go over the wire: what is not finite is unknown."""
    return value if value is not None and math.isfinite(value) else None


def shown_rewards(rewards: Mapping[str, FunctionReward]) -> dict[str, FunctionReward]:
    return {
        name: FunctionReward(
            mean=shown(each.mean), std=shown(each.std), coverage=shown(each.coverage)
        )
        for name, each in rewards.items()
    }


def shown_scores(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: shown(score) for name, score in scores.items()}
