"""What was generated and how it was scored between two reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.contract.run.numbers import FunctionReward, RewardNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One completion with its scores; None where a function does not apply. `group` numbers the
    completions of the same prompt in the same step.
    """

    group: int
    prompt: str
    text: str
    answer: str | None
    scores: dict[str, float | None]
    total: float | None


@dataclass(slots=True)
class Rollouts:
    """A stretch of generation: `completions` in the order they were scored, `last` how many of them
    were scored last, lengths in tokens, the sum of the entropies in nats.
    """

    completions: list[Completion] = field(default_factory=list)
    last: int = 0
    lengths: list[int] = field(default_factory=list)
    cut: int = 0
    entropy: float = 0.0
    tokens: int = 0
    groups: int = 0

    def add(self, completions: Sequence[Completion], *, groups: int) -> None:
        self.completions += completions
        self.last = len(completions)
        self.groups += groups

    @property
    def totals(self) -> list[float]:
        return [one.total for one in self.completions if one.total is not None]

    @property
    def latest(self) -> list[Completion]:
        return self.completions[len(self.completions) - self.last :]

    @property
    def empty_share(self) -> float:
        empty = sum(not one.text.strip() for one in self.completions)
        return empty / len(self.completions) if self.completions else 0.0

    def scores(self, name: str) -> list[float]:
        """Of one reward function, where it applies."""
        values = (one.scores.get(name) for one in self.completions)
        return [score for score in values if score is not None]

    def by_group(self) -> list[list[float]]:
        groups: dict[int, list[float]] = {}
        for one in self.completions:
            if one.total is not None:
                groups.setdefault(one.group, []).append(one.total)
        return list(groups.values())

    def lengths_report(self) -> RewardNumbers:
        """Lengths in tokens, the token that ends a completion included, and who hit the limit."""
        if not self.lengths:
            return RewardNumbers()
        return RewardNumbers(
            completion_length_mean=float(np.mean(self.lengths)),
            completion_length_min=min(self.lengths),
            completion_length_max=max(self.lengths),
            hit_max_tokens_ratio=self.cut / len(self.lengths),
            entropy=self.entropy / self.tokens if self.tokens else None,
        )

    def rewards_report(self, names: Sequence[str]) -> RewardNumbers:
        """Means over all completions; the group's deviation is the mean of those within groups."""
        groups = self.by_group()
        if not groups:
            return RewardNumbers()
        return RewardNumbers(
            avg_reward=float(np.mean(self.totals)),
            reward_std=float(np.std(self.totals)),
            group_reward=float(np.mean([np.mean(group) for group in groups])),
            group_reward_std=float(np.mean([np.std(group) for group in groups])),
            rewards={name: self._function_report(name) for name in names},
        )

    def _function_report(self, name: str) -> FunctionReward:
        scores = self.scores(name)
        return FunctionReward(
            mean=float(np.mean(scores)) if scores else None,
            std=float(np.std(scores)) if scores else None,
            coverage=len(scores) / len(self.completions),
        )
