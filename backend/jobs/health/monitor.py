"""The health of a run: a fold over its events, from rules to alerts and one verdict."""

from __future__ import annotations

from datetime import datetime

from backend.contract.run.events import Metrics, RunEvent, Validation, Warning
from backend.jobs.health.facts import RunFacts
from backend.jobs.health.losses import (
    Divergence,
    LossNotFinite,
    OverFitting,
    Plateau,
    RateTooHigh,
    RateTooLow,
    WeightsNotMoving,
)
from backend.jobs.health.resources import MemoryCreeping, MemoryNearLimit, ThroughputDrop
from backend.jobs.health.rewards import CompletionsCut, EqualRewards, KlTooHigh
from backend.jobs.health.rule import Finding, Level, Rule
from backend.jobs.run.schemas import Alert, Verdict

RULES: tuple[type[Rule], ...] = (
    LossNotFinite, Divergence, WeightsNotMoving, RateTooHigh, RateTooLow, OverFitting, Plateau,
    EqualRewards, CompletionsCut, KlTooHigh, ThroughputDrop, MemoryNearLimit, MemoryCreeping,
)  # fmt: skip
STALLED = "stalled"

# What explains another finding makes that one needless.
_EXPLAINS = {
    "diverged": {"learning_rate_high", "overfitting"},
    "weights_not_moving": {"learning_rate_low", "plateau"},
    "learning_rate_low": {"plateau"},
}
_JUDGED_AFTER = 3  # Reports.
_SILENCE, _GAPS = 120.0, 10.0  # Seconds, and times the usual gap between two reports.


class HealthMonitor:
    """Feed it a run's events in order; it answers the alerts that an event raised.

    The same events give the same alerts, whether they are heard live or read again later. Silence
    is no event: `silent` tells of it.
    """

    def __init__(self, facts: RunFacts) -> None:
        self._rules = [rule(facts) for rule in RULES]
        self._raised: set[tuple[str, Level]] = set()
        self._reports = 0
        self._last: datetime | None = None
        self._gap = 0.0
        self._stalled = False

    def apply(self, event: RunEvent) -> list[Alert]:
        """The alerts that this event raises: each code once a level."""
        self._heard(event)
        if isinstance(event, Metrics):
            self._reports += 1
            for rule in self._rules:
                rule.report(event)
        elif isinstance(event, Validation):
            for rule in self._rules:
                rule.validation(event)
        elif isinstance(event, Warning):
            for rule in self._rules:
                rule.warning(event)
        else:
            return []
        return [
            self._alert(code, finding, event)
            for code, finding in self._standing().items()
            if self._is_new(code, finding.level)
        ]

    @property
    def verdict(self) -> Verdict | None:
        """Of what stands now; None before there is enough to judge by."""
        levels = {finding.level for finding in self._standing().values()}
        if "error" in levels:
            return "act"
        if "warning" in levels or self._stalled:
            return "watch"
        return "healthy" if self._reports >= _JUDGED_AFTER else None

    def silent(self, seconds: float, *, at: datetime) -> Alert | None:
        """The alert of a run that trains and has said nothing for so long, once."""
        limit = max(_SILENCE, _GAPS * self._gap)
        if seconds < limit or self._stalled:
            return None
        self._stalled = True
        if not self._is_new(STALLED, "warning"):
            return None
        return Alert(
            level="warning",
            code=STALLED,
            message=f"The run has reported nothing for {seconds / 60:.0f} minutes.",
            hint="It may wait for memory or for a machine that slept. If its log stays silent "
            "too, stop it and continue from its last checkpoint.",
            at=at,
        )

    def _heard(self, event: RunEvent) -> None:
        self._stalled = False
        if isinstance(event, Metrics):
            if self._last is not None:
                gap = max(0.0, (event.at - self._last).total_seconds())
                self._gap = max(gap, 0.9 * self._gap)
            self._last = event.at

    def _standing(self) -> dict[str, Finding]:
        standing = {rule.code: rule.standing for rule in self._rules if rule.standing is not None}
        explained = {other for code in standing for other in _EXPLAINS.get(code, ())}
        return {code: finding for code, finding in standing.items() if code not in explained}

    def _is_new(self, code: str, level: Level) -> bool:
        new = (code, level) not in self._raised
        self._raised.add((code, level))
        return new

    @staticmethod
    def _alert(code: str, finding: Finding, event: Metrics | Validation | Warning) -> Alert:
        return Alert(
            level=finding.level,
            code=code,
            message=finding.message,
            hint=finding.hint,
            step=None if isinstance(event, Warning) else event.step,
            fix=None if finding.fix is None else dict(finding.fix),
            at=event.at,
        )
