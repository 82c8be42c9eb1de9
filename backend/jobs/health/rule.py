"""A rule: one condition of a run's events, which stands or does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, ClassVar, Literal

from backend.contract.run.events import Metrics, Validation, Warning
from backend.jobs.health.facts import RunFacts

Level = Literal["info", "warning", "error"]
Fix = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule saw: cause, next step and, where it is a setting, its better value."""

    level: Level
    message: str
    hint: str
    fix: Fix | None = None


class Rule:
    """Looks at every report and validation of one run. `standing` is the finding while its
    condition holds. What it remembers is bounded: a run may have 100,000 reports.
    """

    code: ClassVar[str]

    def __init__(self, facts: RunFacts) -> None:
        self.facts = facts
        self.standing: Finding | None = None

    def report(self, event: Metrics) -> None:
        """A training report."""

    def validation(self, event: Validation) -> None:
        """A validation pass."""

    def warning(self, event: Warning) -> None:
        """What the engine itself warned of."""

    @property
    def warm(self) -> int:
        """The first iteration at which the learning rate is whole."""
        return self.facts.warmup_steps

    def lower_rate(self, by: float) -> Fix | None:
        """The run's learning rate divided by `by`, as the fix of a next run."""
        rate = self.facts.learning_rate
        return {"learning_rate": rounded(rate / by)} if rate else None


def centre(values: Sequence[float], last: int) -> float:
    """The median of the last few: one odd batch is no trend."""
    return median(list(values)[-last:])


def rounded(value: float) -> float:
    """A setting as a person would write it: two significant digits."""
    return float(f"{value:.1e}")


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"
