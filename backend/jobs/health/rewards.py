"""Rules about rewards: nothing to tell completions apart by, or no completion that ends."""

from __future__ import annotations

from typing import ClassVar

from backend.contract.run.events import Metrics
from backend.jobs.health.facts import RunFacts
from backend.jobs.health.rule import Finding, Fix, Rule, percent

_REPORTS, _ITERATIONS = 3, 10  # In a row: one batch of easy prompts is no fault.


class _Stretch:
    """How long a condition has held, in reports and in iterations."""

    def __init__(self) -> None:
        self.reports = 0
        self.iterations = 0
        self._last = 0

    def look(self, event: Metrics, holds: bool) -> bool:
        """Whether it has held for long after this report."""
        self.reports = self.reports + 1 if holds else 0
        self.iterations = self.iterations + event.step - self._last if holds else 0
        self._last = event.step
        return self.reports >= _REPORTS or self.iterations >= _ITERATIONS


class EqualRewards(Rule):
    """All completions of a prompt got the same reward: only differences teach."""

    code: ClassVar[str] = "equal_rewards"
    _SHARE = 0.02  # Of the largest reward or spread so far: less is as good as none.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._stretch = _Stretch()
        self._scale = 0.0

    def report(self, event: Metrics) -> None:
        if event.group_reward_std is None:
            return
        spread = event.group_reward_std
        seen = (abs(event.avg_reward or 0), event.reward_std or 0, spread)
        self._scale = max(self._scale, *seen)
        long = self._stretch.look(event, spread <= self._SHARE * self._scale)
        self.standing = self._finding(event) if long else None

    def _finding(self, event: Metrics) -> Finding:
        mean = "" if event.avg_reward is None else f" ({event.avg_reward:.3g} on average)"
        temperature, group = self.facts.temperature, self.facts.group_size
        fix: Fix | None = None
        if temperature is not None and temperature < 1:
            fix = {"temperature": min(1.2, round(temperature + 0.3, 2))}
        elif group is not None and group < 16:
            fix = {"group_size": min(16, group * 2)}
        return Finding(
            level="error",
            message="All completions of a prompt have got the same reward, or nearly so, for the "
            f"last {self._stretch.iterations} iterations{mean}: there is nothing to learn from.",
            hint="Use a reward that tells degrees apart, a higher temperature, a larger group, or "
            "harder prompts if the reward is at its maximum.",
            fix=fix,
        )


class CompletionsCut(Rule):
    """Completions reach the limit of tokens before the model has ended them."""

    code: ClassVar[str] = "completions_cut"
    _SHARE = 0.99

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._stretch = _Stretch()

    def report(self, event: Metrics) -> None:
        share = event.hit_max_tokens_ratio
        if share is None:
            return
        long = self._stretch.look(event, share >= self._SHARE)
        self.standing = self._finding(share) if long else None

    def _finding(self, share: float) -> Finding:
        longest = self.facts.max_completion_length
        limit = "the limit" if longest is None else f"{longest} tokens"
        return Finding(
            level="warning",
            message=f"{percent(share)} of the completions were cut at {limit} for the last "
            f"{self._stretch.iterations} iterations.",
            hint="Raise the completion length, or reward shorter answers.",
            fix=None if longest is None else {"max_completion_length": longest * 2},
        )


class KlTooHigh(Rule):
    """The policy has left its reference behind: usually the rate is too high."""

    code: ClassVar[str] = "kl_high"
    _LIMIT = 5.0  # Nats per token; healthy runs stay below 1.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._stretch = _Stretch()

    def report(self, event: Metrics) -> None:
        if event.kl is None:
            return
        long = self._stretch.look(event, event.kl > self._LIMIT)
        self.standing = self._finding(event.kl) if long else None

    def _finding(self, kl: float) -> Finding:
        return Finding(
            level="warning",
            message=f"The model has moved far from its reference: KL is {kl:.2f} nats.",
            hint="Lower the learning rate, or raise beta.",
            fix=self.lower_rate(5),
        )
