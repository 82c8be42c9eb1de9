"""The numbers that training by reward or by preference adds to a run: one list of names.

Every one may be missing: what a method does not have is unknown, never 0. Rewards are in the units
of their functions, KL and entropy in nats, lengths in tokens, shares and rates from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Metric = Literal["val_loss", "val_reward", "val_accuracy"]
Split = Literal["train", "valid", "prompt"]


class FastFields:
    """A frozen record that a reader makes without the checks of its constructor."""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """What is not given is found in the class, where dataclasses keep their defaults."""
        result = object.__new__(cls)
        object.__setattr__(result, "__dict__", fields)
        return result


class SetFields(FastFields):
    """A record that knows which of its fields it was made with, in their order."""

    _set: tuple[str, ...] | None = None  # All that it has, where a reader made it.
    _unknown: Mapping[str, Any] | None = None

    def __new__(cls, *_: Any, **fields: Any) -> Self:
        result = super().__new__(cls)
        object.__setattr__(result, "_set", tuple(fields))
        return result

    def keep_unknown(self, raw: Mapping[str, Any]) -> None:
        """Hold the fields of a newer writer, as they came in `raw`."""
        own = self.__dict__
        if len(raw) > len(own) + 1:  # The type is no field.
            names = {"type", *own}
            unknown = {name: raw[name] for name in raw if name not in names}
            object.__setattr__(self, "_set", tuple(own))
            object.__setattr__(self, "_unknown", unknown)

    def set_fields(self) -> dict[str, Any]:
        """The fields it was made with, and those of a newer writer: name → value."""
        if self._set is None:
            return dict(self.__dict__)
        values = {name: getattr(self, name) for name in self._set}
        return values if self._unknown is None else values | dict(self._unknown)


@dataclass(frozen=True, kw_only=True)
class FunctionReward(FastFields):
    """What one reward function gave. `coverage`: the share of completions that it judged at all."""

    mean: float | None = None
    std: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, kw_only=True)
class RewardNumbers(SetFields):
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


@dataclass(frozen=True, kw_only=True)
class ValidationNumbers(SetFields):
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


@dataclass(frozen=True, kw_only=True)
class SampleRecord(SetFields):
    """A completion that was made while training, and what each reward function gave for it.

    `total` is the weighted sum. `answer` is what the row says is right, `split` where it is from:
    a row, or one of the run's own sample prompts. Those of step 0 are the base model's answers.
    """

    step: int
    prompt: str
    text: str
    answer: str | None = None
    rewards: dict[str, float | None] | None = None
    total: float | None = None
    split: Split | None = None
