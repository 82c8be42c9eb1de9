"""Runs as lists of reports, for the rules of health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from backend.jobs.health.facts import RunFacts
from backend.jobs.health.monitor import HealthMonitor
from backend.jobs.run.schemas import Alert
from tests.jobs.run.test_progress import events_of

Told = tuple[float, str, dict[str, Any]]


class Watched:
    """What a monitor said of a run: every alert, and how it stood after each event."""

    def __init__(self, history: Iterable[Told], facts: RunFacts) -> None:
        self.monitor = HealthMonitor(facts)
        self.alerts: list[Alert] = []
        self.verdicts: list[str | None] = []
        for event in events_of(*history):
            self.alerts += self.monitor.apply(event)
            self.verdicts.append(self.monitor.verdict)

    @property
    def codes(self) -> list[str]:
        return [alert.code for alert in self.alerts]


def watch(history: Iterable[Told], **facts: Any) -> Watched:
    known = {"total_steps": 200, "learning_rate": 1e-4, "optimizer": "adam"}
    return Watched(history, RunFacts(**{**known, **facts}))


def reports(losses: Sequence[float], *, every: int = 5, **columns: Sequence[Any]) -> list[Told]:
    """A report each `every` iterations; `columns` are further numbers, one a report."""
    return [
        (
            float(n),
            "metrics",
            {"step": n * every, "train_loss": loss}
            | {name: values[n - 1] for name, values in columns.items()},
        )
        for n, loss in enumerate(losses, start=1)
    ]


def validated(losses: Sequence[float], *, every: int = 20) -> list[Told]:
    return [
        (n * every / 5 + 0.5, "validation", {"step": n * every, "val_loss": loss, "val_time": 0.1})
        for n, loss in enumerate(losses)
    ]


def merged(*histories: list[Told]) -> list[Told]:
    return sorted((told for history in histories for told in history), key=lambda told: told[0])


def falling(count: int = 40, start: float = 2.0, end: float = 1.0) -> list[float]:
    """A healthy loss, with the noise of small batches."""
    noise = (0.06, -0.05, 0.02, -0.07, 0.05, 0.0, -0.02, 0.04)
    step = (start - end) / max(1, count - 1)
    return [start - step * n + noise[n % len(noise)] for n in range(count)]
