"""Rules about losses: not finite, diverging, level, over-fitted, a rate too high or too low.

Losses of reward methods say nothing about success, so only `LossNotFinite` looks at those.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean
from typing import ClassVar

from backend.contract.run.events import Metrics, Validation, Warning
from backend.jobs.health.facts import RunFacts
from backend.jobs.health.rule import Finding, Fix, Rule, centre, percent, rounded

_NAMES = {"train_loss": "Training", "val_loss": "Validation"}
_LEVEL = 3  # Reports whose median is the loss of a moment, and the fewest rows that they stand for:
_ROWS = 24  # the losses of single rows differ by more than any fault.
_RECENT = 30

# Below these a rate is low for adam's kind of optimizers: a tenth of what the literature takes for
# LoRA (2e-4, "LoRA Without Regret"), and for the gentler methods of the engine's own defaults.
_LOW_RATE = {"loss": 2e-5, "preference": 1e-6, "reward": 1e-6}
_OF_FULL_WEIGHTS = 0.1  # Full fine-tuning takes about a tenth of LoRA's rate.
_ADAPTIVE = frozenset({"adam", "adamw"})


class _LossRule(Rule):
    """A rule about the training loss of a method whose loss should fall."""

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self.first: float | None = None  # The level of the first reports.
        self.losses: deque[float] = deque(maxlen=_RECENT)
        self.reports = 0
        self.window = _LEVEL
        self.rows = 1  # That a report stands for.
        self._step = 0

    def report(self, event: Metrics) -> None:
        loss = event.train_loss
        if self.facts.family == "reward" or loss is None or not math.isfinite(loss):
            return
        self.reports += 1
        self.losses.append(loss)
        self.rows = max(1, event.step - self._step) * (self.facts.batch_size or 1)
        self._step = event.step
        self.window = min(_RECENT, max(_LEVEL, -(-_ROWS // self.rows)))
        if self.reports < self.window:
            return
        if self.first is None:
            self.first = self.level
        self.standing = self.look(event, self.first)

    @property
    def level(self) -> float:
        if self.window > _LEVEL:  # Few rows each: their median may flip between two kinds of rows.
            return fmean(list(self.losses)[-self.window :])
        return centre(self.losses, _LEVEL)

    def look(self, event: Metrics, first: float) -> Finding | None:
        """What stands after this report."""
        return None


class LossNotFinite(Rule):
    """A loss that is no number; the weights are lost from there on."""

    code: ClassVar[str] = "loss_not_finite"

    def report(self, event: Metrics) -> None:
        self._look("Training", event.train_loss, event.step)

    def validation(self, event: Validation) -> None:
        self._look("Validation", event.val_loss, event.step)

    def warning(self, event: Warning) -> None:
        """An engine writes null for what is no number, and says so."""
        if event.code == "not_finite" and event.metric in _NAMES:
            self._find(_NAMES[event.metric], "not a number")

    def _look(self, what: str, loss: float | None, step: int) -> None:
        if loss is not None and not math.isfinite(loss):
            self._find(what, f"{loss} at iteration {step}")

    def _find(self, what: str, value: str) -> None:
        self.standing = Finding(
            level="error",
            message=f"{what} loss is {value}: the weights are no numbers any more.",
            hint="The best adapter from before is kept. Start again with a lower learning rate; "
            "if it happens at once, look for rows without text.",
            fix=self.lower_rate(10),
        )


class Divergence(_LossRule):
    """The training loss rises far above where it began, or above the untrained model's."""

    code: ClassVar[str] = "diverged"
    _SHARE, _LEAST = 0.2, 0.3  # Above the start, in shares and in nats.
    _FAR_SHARE, _FAR = 0.35, 1.0  # Above the untrained model: held-out rows may be easier.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._untrained = math.inf

    def validation(self, event: Validation) -> None:
        same = self.facts.family == "loss"  # Of pairs the two losses are different things.
        if same and event.step == 0 and event.val_loss is not None:
            self._untrained = event.val_loss

    def warning(self, event: Warning) -> None:
        """The engine ends a run that is ruined, and says so."""
        if event.code == self.code:
            self.standing = self._finding(event.message)

    def look(self, event: Metrics, first: float) -> Finding | None:
        start = first
        rise = self.level - first >= max(self._SHARE * abs(first), self._LEAST)
        if self.level - self._untrained >= max(self._FAR_SHARE * self._untrained, self._FAR):
            start, rise = self._untrained, True
        if not rise:
            return None
        return self._finding(
            f"Training diverges: the loss is {self.level:.2f} at iteration {event.step}, above "
            f"the {start:.2f} that it began with."
        )

    def _finding(self, message: str) -> Finding:
        return Finding(
            level="error",
            message=message,
            hint="The best adapter is kept. Start again with a lower learning rate, or with more "
            "warm-up.",
            fix=self.lower_rate(5),
        )


class RateTooHigh(_LossRule):
    """The loss jumps up again and again, or once so far that it does not come back."""

    code: ClassVar[str] = "learning_rate_high"
    _JUMP, _LEAST = 1.5, 0.3  # To this many times the level before, and by so many nats.
    _JUMPS, _WITHIN = 3, 20
    _FEWEST_ROWS = 8  # A report over fewer may jump by its rows alone.
    _FAR, _BACK_WITHIN = 1.0, 5  # Nats, and the reports after which it should be back.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._jumps: deque[bool] = deque(maxlen=self._WITHIN)
        self._before: float | None = None  # The level before a far jump.
        self._since = 0

    def report(self, event: Metrics) -> None:
        before = self.level if self.losses else None
        super().report(event)
        if before is None or event.train_loss is None or self.rows < self._FEWEST_ROWS:
            return
        rise = self.losses[-1] - before
        jumped = self.losses[-1] > self._JUMP * before and rise > self._LEAST
        self._jumps.append(jumped and event.step > self.warm)
        self._since += 1
        if self._jumps[-1] and rise > self._FAR and self._before is None:
            self._before, self._since = before, 0
        self.standing = self._finding()

    def _finding(self) -> Finding | None:
        count = sum(self._jumps)
        lost = self._before is not None and self._since >= self._BACK_WITHIN
        if lost and centre(self.losses, self._BACK_WITHIN) <= (self._before or 0.0):
            self._before, lost = None, False
        if count < self._JUMPS and not lost:
            return None
        what = f"The loss jumped up {count} times in the last {len(self._jumps)} reports"
        if lost:
            what = f"The loss jumped up from {self._before:.2f} and has not come back"
        return Finding(
            level="warning",
            message=f"{what}: the learning rate may be too high.",
            hint="Lower the learning rate, or train on larger batches.",
            fix=self.lower_rate(3),
        )


class RateTooLow(_LossRule):
    """The rate is low for the method, and the loss has hardly moved."""

    code: ClassVar[str] = "learning_rate_low"
    _SEEN, _SHARE = 8, 0.2  # Reports, and the share of the run, before it is judged.
    _FALL = 0.05  # A loss that fell by less has hardly moved.

    def look(self, event: Metrics, first: float) -> Finding | None:
        rate, total = self.facts.learning_rate, self.facts.total_steps
        if not rate or not self._is_low(rate) or first <= 0 or total is None:
            return None
        done = event.step - self.warm
        if self.reports < self._SEEN or done < self._SHARE * total:
            return None
        fall = (first - centre(self.losses, 5)) / first
        if fall >= self._FALL:
            return None
        return Finding(
            level="warning",
            message=f"The loss has fallen by only {percent(max(fall, 0))} by iteration "
            f"{event.step}: {rate:g} is a low learning rate for this method.",
            hint="Raise the learning rate, or train for more iterations.",
            fix={"learning_rate": rounded(rate * 10)},
        )

    def _is_low(self, rate: float) -> bool:
        if self.facts.optimizer not in _ADAPTIVE:
            return False
        limit = _LOW_RATE[self.facts.family]
        full = self.facts.fine_tune_type == "full"
        return rate < limit * (_OF_FULL_WEIGHTS if full else 1)


class Plateau(_LossRule):
    """Neither loss improves any more. A fact, not a fault: every run ends so if it is long."""

    code: ClassVar[str] = "plateau"
    _VALIDATIONS, _SPREAD = 5, 0.005
    _REPORTS = 10

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._validations: deque[tuple[int, float]] = deque(maxlen=self._VALIDATIONS)

    def validation(self, event: Validation) -> None:
        if event.val_loss is not None and math.isfinite(event.val_loss):
            self._validations.append((event.step, event.val_loss))

    def look(self, event: Metrics, first: float) -> Finding | None:
        values = [value for _, value in self._validations]
        if len(values) < self._VALIDATIONS or len(self.losses) < 2 * self._REPORTS:
            return None
        if max(values) - min(values) > self._SPREAD * abs(min(values)):
            return None
        recent = list(self.losses)
        before = centre(recent[: -self._REPORTS], self._REPORTS)
        fall = before - centre(recent, self._REPORTS)
        if fall > 2 * self._SPREAD * abs(before):
            return None
        since = self._validations[0][0]
        return Finding(
            level="info",
            message=f"The loss has been level since iteration {since}.",
            hint="More iterations are unlikely to help: stop here, or go on with a lower learning "
            "rate.",
            fix={"iterations": since} if since > 0 else None,
        )


class OverFitting(_LossRule):
    """Validation rises from its best while training falls: the rows are learned by heart."""

    code: ClassVar[str] = "overfitting"
    _RISE, _FAR = 0.01, 0.1  # Above the best twice in a row, or once.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._lowest = math.inf
        self._lowest_at = 0
        self._loss_then = math.inf
        self._above = 0

    def validation(self, event: Validation) -> None:
        loss = event.val_loss
        if self.facts.family == "reward" or loss is None or not math.isfinite(loss):
            return
        if loss < self._lowest:
            self._lowest, self._lowest_at = loss, event.step
            self._loss_then = self.level if self.losses else math.inf
            self._above, self.standing = 0, None
            return
        rise = (loss - self._lowest) / max(abs(self._lowest), 1e-9)
        self._above = self._above + 1 if rise >= self._RISE else 0
        falls = bool(self.losses) and self.level < self._loss_then
        clear = self._above >= 2 or rise >= self._FAR
        self.standing = self._finding(rise) if falls and clear else None

    def look(self, event: Metrics, first: float) -> Finding | None:
        return self.standing  # Only a validation changes it.

    def _finding(self, rise: float) -> Finding:
        stop = "early stopping ends the run by itself" if self.facts.early_stop else "stop now"
        fix: Fix = {"early_stop": True}
        if self.facts.early_stop:
            fix = {"iterations": max(1, self._lowest_at)}
        return Finding(
            level="warning",
            message=f"Overfitting: validation loss is {percent(rise)} above its best at iteration "
            f"{self._lowest_at}, while training loss falls.",
            hint=f"The best adapter is kept: {stop}. Next time train for fewer iterations, with "
            "more rows, or with dropout.",
            fix=fix,
        )


class WeightsNotMoving(Rule):
    """Validations of different steps give exactly the same loss, or gradients are zero."""

    code: ClassVar[str] = "weights_not_moving"
    _TIMES = 2

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._last: tuple[int, float] | None = None
        self._equal = 0
        self._zero = 0

    def validation(self, event: Validation) -> None:
        loss = event.val_loss
        # Rewards of greedy answers stay equal for long; their gradients tell more.
        if self.facts.family == "reward" or loss is None or not math.isfinite(loss):
            return
        if self._last is not None and event.step - self._last[0] >= self.facts.accumulation:
            same = loss == self._last[1] and event.step > self.warm
            self._equal = self._equal + 1 if same else 0
        self._last = (event.step, loss)
        self._look(event.step)

    def report(self, event: Metrics) -> None:
        if self.facts.family == "reward" or event.grad_norm is None:
            return
        self._zero = self._zero + 1 if event.grad_norm == 0 else 0
        self._look(event.step)

    def _look(self, step: int) -> None:
        if self._equal < self._TIMES and self._zero < self._TIMES + 1:
            self.standing = None
            return
        reason = "no gradient reaches them" if self._zero else "the loss stays exactly the same"
        self.standing = Finding(
            level="error",
            message=f"The weights do not move: {reason} up to iteration {step}.",
            hint="Check that the learning rate is above zero, that the answers of the rows are "
            "not cut off or masked, and that LoRA covers the layers that you mean.",
        )
