"""The engine's training callback: reports become events, and the best weights are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlx_lm.tuner.callbacks import TrainingCallback

from backend.contract.run.events import Metrics, Phase, Validation
from backend.engines.process.events import Emitter
from backend.engines.trainer.divergence import Ruin
from backend.engines.trainer.early_stopping import Counters, Keeper, Patience


class Diverged(Exception):
    """Training has gone wrong beyond repair: the loss or the weights are not finite, or the model
    is ruined (`divergence.py`).
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"Training diverged at step {step}: {what}.")
        self.step = step


class Watch(TrainingCallback):  # type: ignore[misc]  # the engine has no types
    """Turns the engine's reports into events.

    A validation is of the weights before the step it is printed at, so what `save_best` saves in
    it are the very weights that were validated. The one at step 0 is of the base model: a
    baseline, and only what comes below it is called best.
    """

    def __init__(
        self,
        emit: Emitter,
        *,
        save_best: Callable[[int], Path],
        after_best: Callable[[int], None],
        stopping: Callable[[], bool],
        patience: Patience,
        steps_per_epoch: int,
        steps_per_report: int,
        vocabulary: int | None,
        first_step: int = 0,
        trained_tokens: int = 0,
        counters: Counters,
    ) -> None:
        self.train_loss = counters.train_loss
        self._keeper = Keeper(
            emit, metric="val_loss", save_best=save_best, patience=patience, counters=counters,
            beats_base=True,
        )  # fmt: skip
        self._emit = emit
        self._stopping = stopping
        self._after_best = after_best
        self._steps_per_epoch = steps_per_epoch
        self._per_report = steps_per_report
        self._first_step = first_step
        self._trained_tokens = trained_tokens
        self._reported = 0
        self._ruin = Ruin(vocabulary)

    @property
    def baseline(self) -> float | None:
        return self._keeper.baseline

    @property
    def best(self) -> tuple[int, float] | None:
        return self._keeper.best

    @property
    def validated(self) -> bool:
        return self._keeper.validated

    @property
    def early_stopped(self) -> bool:
        return self._keeper.early_stopped

    def counters(self) -> Counters:
        return self._keeper.counters(self.train_loss)

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        done = int(info["iteration"])
        step = self._first_step + done
        steps = done - self._reported
        # The engine divides by steps_per_report even when the last stretch was shorter.
        rate = float(info["iterations_per_second"]) * steps / self._per_report
        self._reported = done
        loss = float(info["train_loss"])
        self._emit(
            Metrics(
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
        )
        if not math.isfinite(loss):
            raise Diverged(step, "the training loss is not a number")
        if ruined := self._ruin.reported(loss, self.baseline):
            raise Diverged(step, ruined)
        self.train_loss = loss

    def on_val_loss_report(self, info: dict[str, Any]) -> None:
        if self._stopping():
            return  # Cut short by the stop: a loss over part of the rows would mislead.
        step = self._first_step + int(info["iteration"])
        loss = float(info["val_loss"])
        self._emit(Validation(step=step, val_loss=loss, val_time=float(info["val_time"])))
        if not math.isfinite(loss):
            raise Diverged(step, "the validation loss is not a number")
        if ruined := self._ruin.validated(loss, self.baseline):
            raise Diverged(step, ruined)
        before = self.best
        self._keeper.judge(step, loss)
        if self.best != before:
            self._after_best(step)
        self._emit(Phase(name="training"))


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
