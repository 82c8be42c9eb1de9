"""The engine's training callback: reports become events, and the best weights are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx_lm.tuner.callbacks import TrainingCallback

from backend.engines.emit import Emitter


class Diverged(Exception):
    """Training has gone wrong beyond repair: the loss or the weights are not finite, or the model
    guesses worse than chance.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"Training diverged at step {step}: {what}.")
        self.step = step


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """End the run after `evaluations` validations without an improvement over `min_delta`."""

    enabled: bool
    evaluations: int
    min_delta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What a run has seen of its losses: `best` is (step, loss), `reference` and `stale` count
    the patience.
    """

    baseline: float | None = None
    best: tuple[int, float] | None = None
    reference: float | None = None
    stale: int = 0
    train_loss: float | None = None


class Watch(TrainingCallback):  # type: ignore[misc]  # the engine has no types
    """Turns the engine's reports into events.

    A validation is of the weights before the step it is printed at, so what `save_best` saves in
    it are the very weights that were validated. The one at step 0 is of the base model: a
    baseline, never the best adapter.
    """

    def __init__(
        self,
        emit: Emitter,
        *,
        save_best: Callable[[int], Path],
        stopping: Callable[[], bool],
        patience: Patience,
        steps_per_epoch: int,
        steps_per_report: int,
        vocabulary: int | None,
        first_step: int = 0,
        trained_tokens: int = 0,
        counters: Counters = Counters(),
    ) -> None:
        self.baseline = counters.baseline
        self.best = counters.best
        self.early_stopped = False
        self.train_loss = counters.train_loss
        self._emit = emit
        self._save_best = save_best
        self._stopping = stopping
        self._patience = patience
        self._steps_per_epoch = steps_per_epoch
        self._per_report = steps_per_report
        self._first_step = first_step
        self._trained_tokens = trained_tokens
        self._reported = 0
        self._reference = counters.reference
        self._stale = counters.stale
        # Guessing evenly over the vocabulary costs ln(V); half as much again is no bad luck.
        self._hopeless = 1.5 * math.log(vocabulary) + 1 if vocabulary else math.inf

    def counters(self) -> Counters:
        return Counters(
            baseline=self.baseline,
            best=self.best,
            reference=self._reference,
            stale=self._stale,
            train_loss=self.train_loss,
        )

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        done = int(info["iteration"])
        step = self._first_step + done
        steps = done - self._reported
        # The engine divides by steps_per_report even when the last stretch was shorter.
        rate = float(info["iterations_per_second"]) * steps / self._per_report
        self._reported = done
        loss = float(info["train_loss"])
        self._emit(
            "metrics",
            step=step,
            train_loss=loss,
            # Reported from float32: 1e-4 comes as 9.999999747e-05.
            learning_rate=float(f"{float(info['learning_rate']):.6g}"),
            iterations_per_second=rate,
            tokens_per_second=float(info["tokens_per_second"]),
            trained_tokens=self._trained_tokens + int(info["trained_tokens"]),
            peak_memory_gb=float(info["peak_memory"]),
            epoch=step / self._steps_per_epoch,
        )
        if not math.isfinite(loss):
            raise Diverged(step, "the training loss is not a number")
        if loss > self._hopeless:
            raise Diverged(step, f"the training loss of {loss:.2f} is worse than guessing")
        self.train_loss = loss

    def on_val_loss_report(self, info: dict[str, Any]) -> None:
        if self._stopping():
            return  # Cut short by the stop: a loss over part of the rows would mislead.
        step = self._first_step + int(info["iteration"])
        loss = float(info["val_loss"])
        self._emit("validation", step=step, val_loss=loss, val_time=float(info["val_time"]))
        if not math.isfinite(loss):
            raise Diverged(step, "the validation loss is not a number")
        if step == 0:
            self.baseline = loss
            return
        if self.best is None or loss < self.best[1]:
            path = self._save_best(step)
            self.best = (step, loss)
            self._emit("best", step=step, val_loss=loss, path=str(path))
        self._count(step, loss)

    def _count(self, step: int, loss: float) -> None:
        if self._reference is None or loss < self._reference - self._patience.min_delta:
            self._reference = loss
            self._stale = 0
            return
        self._stale += 1
        if self._patience.enabled and self._stale >= self._patience.evaluations:
            self.early_stopped = True
            self._emit("early_stop", step=step, best_step=self.best[0] if self.best else None)


class Both(TrainingCallback):  # type: ignore[misc]  # the engine has no types
    """A watch, and the engine's own reporters beside it, which hear the steps of the whole run."""

    def __init__(self, watch: Watch, reporters: TrainingCallback, *, first_step: int) -> None:
        self._watch = watch
        self._reporters = reporters
        self._first_step = first_step

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        self._reporters.on_train_loss_report(self._shifted(info))
        self._watch.on_train_loss_report(info)

    def on_val_loss_report(self, info: dict[str, Any]) -> None:
        self._reporters.on_val_loss_report(self._shifted(info))
        self._watch.on_val_loss_report(info)

    def _shifted(self, info: dict[str, Any]) -> dict[str, Any]:
        return info | {"iteration": self._first_step + info["iteration"]}
