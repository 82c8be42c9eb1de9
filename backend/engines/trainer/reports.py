"""The engine's training callback: its reports become events."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
from mlx_lm.tuner.callbacks import TrainingCallback

from backend.contract.run.events import Metrics, Validation
from backend.engines.optimizer.grad_norm import GRAD_NORM
from backend.engines.process.events import Emitter
from backend.engines.trainer.divergence import Diverged


class MethodReport:
    """What a method adds to the reports: nothing, unless it has more to say."""

    def numbers(self, info: Mapping[str, Any], steps: int) -> dict[str, Any]:
        """Fields of `Metrics` from the engine's report of a stretch of `steps`."""
        return {}

    def show_training(self, step: int) -> None:
        """Samples of what was just reported."""

    def show_validation(self, validation: Validation) -> None:
        """Lines and samples of what was just validated."""

    def warn(self) -> None:
        """Say what in the reported stretch needs a warning."""


class Reports(TrainingCallback):  # type: ignore[misc]  # the engine has no types
    """Turns the engine's reports into events of the whole run's steps. Raises Diverged on a loss
    that is not a number. `seconds(info, steps)` is the time of the steps reported, `check(loss)`
    looks at every training loss.
    """

    def __init__(
        self,
        emit: Emitter,
        optimizer: optim.Optimizer,
        method: MethodReport,
        *,
        seconds: Callable[[Mapping[str, Any], int], float],
        check: Callable[[int, float], None],
        steps_per_epoch: int,
        first_step: int = 0,
        trained_tokens: int = 0,
        train_loss: float | None = None,
    ) -> None:
        self.trained_tokens = trained_tokens
        self.train_loss = train_loss
        self._emit = emit
        self._optimizer = optimizer
        self._method = method
        self._seconds = seconds
        self._check = check
        self._steps_per_epoch = steps_per_epoch
        self._first_step = first_step
        self._first_tokens = trained_tokens
        self._reported = 0

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        done = int(info["iteration"])
        steps, self._reported = done - self._reported, done
        step = self._first_step + done
        loss = float(info["train_loss"])
        numbers = self._method.numbers(info, steps)
        seconds = max(self._seconds(info, steps), 1e-9)
        counts = "trained_tokens" in info
        tokens = self._first_tokens + int(info.get("trained_tokens", 0))
        new, self.trained_tokens = tokens - self.trained_tokens, tokens
        self._emit(
            Metrics(
                step=step,
                train_loss=loss,
                # Held in float32: 1e-4 comes as 9.999999747e-05.
                learning_rate=float(f"{float(self._optimizer.learning_rate.item()):.6g}"),
                iterations_per_second=steps / seconds,
                tokens_per_second=new / seconds if counts else None,
                trained_tokens=tokens if counts else None,
                peak_memory_gb=mx.get_peak_memory() / 1e9,
                epoch=step / self._steps_per_epoch,
                grad_norm=self._grad_norm(),
                **numbers,
            )
        )
        self._method.show_training(step)
        if not math.isfinite(loss):
            raise Diverged(step, "the training loss is not a number")
        self._check(step, loss)
        self.train_loss = loss
        self._method.warn()

    def _grad_norm(self) -> float | None:
        """Of the last update; None before the first one."""
        norm = float(self._optimizer.state[GRAD_NORM].item())
        return norm if math.isfinite(norm) else None


class Both(TrainingCallback):  # type: ignore[misc]  # the engine has no types
    """Our reports, and the engine's own reporters beside them, which hear the run's own steps."""

    def __init__(self, reports: Reports, reporters: TrainingCallback, *, first_step: int) -> None:
        self._reports = reports
        self._reporters = reporters
        self._first_step = first_step

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        self._reporters.on_train_loss_report(self._shift(info))
        self._reports.on_train_loss_report(info)

    def _shift(self, info: dict[str, Any]) -> dict[str, Any]:
        return info | {"iteration": self._first_step + info["iteration"]}
