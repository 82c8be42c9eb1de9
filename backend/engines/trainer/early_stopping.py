"""Early stopping: keeps the best validation, counts patience, and sums a run up by them.

A loss is better when it is lower, a reward or an accuracy when it is higher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backend.contract.run.config import RunConfig
from backend.contract.run.events import Best, EarlyStop
from backend.contract.run.numbers import Metric
from backend.engines.process.events import Emitter


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """End the run after `evaluations` validations without an improvement over `min_delta`."""

    enabled: bool
    evaluations: int
    min_delta: float

    @classmethod
    def of(cls, config: RunConfig) -> Patience:
        return cls(
            enabled=config.enable_early_stop,
            evaluations=config.no_improve_patience_evals,
            min_delta=config.early_stop_min_delta,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What a run has seen of its validations: `best` is (step, value), `reference` and `stale`
    count the patience. The values are losses, or what else the run is judged by. `validated` is the
    step of the last whole validation.
    """

    baseline: float | None = None
    best: tuple[int, float] | None = None
    reference: float | None = None
    stale: int = 0
    train_loss: float | None = None
    validated: int | None = None


class EarlyStopping:
    """Keeps the best weights and counts patience. `save_best(step)` must save the very weights that
    were validated.

    The value of step 0 is that of the untrained model: a baseline, never the best adapter. With
    `beats_base` nothing is best that is not better than it.
    """

    def __init__(
        self,
        emit: Emitter,
        *,
        metric: Metric,
        save_best: Callable[[int], Path],
        patience: Patience,
        counters: Counters,
        beats_base: bool = False,
    ) -> None:
        self.metric: Metric = metric
        self.baseline = counters.baseline
        self.best = counters.best
        self.stopped = False
        self._emit = emit
        self._save_best = save_best
        self._patience = patience
        self._beats_base = beats_base
        self._reference = counters.reference
        self._stale = counters.stale

    @property
    def validated(self) -> bool:
        """Whether anything but the base was."""
        return self._reference is not None

    def counters(self, train_loss: float | None, validated: int | None) -> Counters:
        return Counters(
            baseline=self.baseline,
            best=self.best,
            reference=self._reference,
            stale=self._stale,
            train_loss=train_loss,
            validated=validated,
        )

    def better(self, value: float, than: float, *, by: float = 0.0) -> bool:
        """Whether `value` is better than `than` by more than `by`."""
        return value < than - by if self.metric == "val_loss" else value > than + by

    @property
    def measured(self) -> str:
        """How the metric that best goes by is called in a sentence."""
        return "validation " + self.metric.removeprefix("val_")

    def judge(self, step: int, value: float) -> None:
        """Take note of a validation, keep its weights if they are the best, count the patience."""
        if step == 0:
            self.baseline = value
            return
        if self._is_best(value):
            path = self._save_best(step)
            self.best = (step, value)
            self._emit(_best(step, self.metric, value, path))
        self._count(step, value)

    def summary(self, done: int, iters: int, *, hint: str) -> str:
        """What came of a run that ended by itself; warns, with the hint, of one without a gain."""
        if self.stopped:
            first = f"Stopped early at iteration {done} of {iters}: validation stopped improving."
        else:
            first = f"Trained {done} iterations."
        if self.best is not None:
            step, value = self.best
            if self.baseline is not None and not self.better(value, self.baseline):
                none = f"No {self.measured} was better than the untrained model's"
                self._emit.warning("no_better_than_base", f"{none} {self.baseline:.3f}.", hint)
            best = (
                f"The best adapter is that of iteration {step}, "
                f"with a {self.measured} of {value:.3f}."
            )
            return f"{first} {best}"
        if self.baseline is None or not self.validated:
            return first
        none = f"No validation came below the untrained model's {self.baseline:.3f}"
        self._emit.warning("no_better_than_base", f"{none}.", hint)
        return f"{first} {none}, so there is no best adapter; the last one is saved."

    def _is_best(self, value: float) -> bool:
        least = self.best[1] if self.best else self.baseline if self._beats_base else None
        return least is None or self.better(value, least)

    def _count(self, step: int, value: float) -> None:
        least = self._patience.min_delta
        if self._reference is None or self.better(value, self._reference, by=least):
            self._reference = value
            self._stale = 0
            return
        self._stale += 1
        if self._patience.enabled and self._stale >= self._patience.evaluations:
            self.stopped = True
            self._emit(EarlyStop(step=step, best_step=self.best[0] if self.best else None))


def _best(step: int, metric: Metric, value: float, path: Path) -> Best:
    if metric == "val_loss":
        return Best(step=step, metric=metric, value=value, path=str(path), val_loss=value)
    return Best(step=step, metric=metric, value=value, path=str(path))
