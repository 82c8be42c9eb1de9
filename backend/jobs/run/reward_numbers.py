"""The numbers that training by reward or by preference adds to a run: one list of names.

An event has them when the engine said so, the latest numbers when any event did. All are optional:
what a method does not have is unknown, never 0. Rewards are in the units of their functions, KL
and entropy in nats, lengths in tokens, shares and rates from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

Metric = Literal["val_loss", "val_reward", "val_accuracy"]


class FunctionReward(BaseModel):
    """What one reward function gave. `coverage`: the share of completions that it judged at all."""

    mean: float | None = None
    std: float | None = None
    coverage: float | None = None


class RewardNumbers(BaseModel):
    """Of a training report: first what rewards give, then what preference pairs give."""

    avg_reward: float | None = None
    reward_std: float | None = None
    group_reward: float | None = None
    group_reward_std: float | None = None
    kl: float | None = None
    kl_saturation: float | None = None
    entropy: float | None = None
    success_rate: float | None = None
    clip_ratio: float | None = None
    clip_ratio_low: float | None = None
    clip_ratio_high: float | None = None
    completion_length_mean: float | None = None
    completion_length_min: float | None = None
    completion_length_max: float | None = None
    hit_max_tokens_ratio: float | None = None
    rewards: dict[str, FunctionReward] | None = None
    rewards_chosen: float | None = None
    rewards_rejected: float | None = None
    margin: float | None = None
    accuracy: float | None = None


class ValidationNumbers(BaseModel):
    """Of a validation pass, on held-out prompts or pairs. `val_rewards`: the mean by function."""

    val_reward: float | None = None
    val_reward_std: float | None = None
    val_success_rate: float | None = None
    val_kl: float | None = None
    val_completion_length: float | None = None
    val_rewards: dict[str, float | None] | None = None
    val_accuracy: float | None = None
    val_margin: float | None = None
    val_rewards_chosen: float | None = None
    val_rewards_rejected: float | None = None


class SampleData(BaseModel):
    """A completion that was made while training, and what each reward function gave for it.

    `total` is the weighted sum. `answer` is what the row says is right, `split` where it is from.
    """

    step: int
    prompt: str
    text: str
    answer: str | None = None
    rewards: dict[str, float | None] | None = None
    total: float | None = None
    split: Literal["train", "valid"] | None = None


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
