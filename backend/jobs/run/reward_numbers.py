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


class SampleData(BaseModel, run_numbers.SampleRecord):
    """A completion that was made while training, and what each reward function gave for it.

    `total` is the weighted sum. `answer` is what the row says is right, `split` where it is from.
    """


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
