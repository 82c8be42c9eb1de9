"""Divergence: a model that training has ruined, told from one whose losses are only noisy.

A learning rate that is far too high need not end in NaN: the weights come to rest where the model
guesses evenly, at a loss of ln(vocabulary), or somewhere above what the base had.
"""

from __future__ import annotations

import math

_SHARE, _LEAST = 0.3, 1.0  # Above the base: noise and forgetting stay below, also of a low loss.
_LEARNING = 0.7  # Of the first report: below it the run learns its own rows, whatever it forgets.
_GUESSING = 0.98  # Of ln(vocabulary).
_ABLE = 0.8  # A base above this share of it guesses by itself, as one without training does.
_VALIDATIONS, _REPORTS = 2, 3  # In a row.


class Diverged(Exception):
    """Training has gone wrong beyond repair: the loss or the weights are not finite, or the losses
    are those of a ruined model.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"Training diverged at iteration {step}: {what}.")
        self.step = step


class LossGuard:
    """Looks at the finite losses of one run; answers what is wrong in words, or None."""

    def __init__(self, vocabulary: int | None) -> None:
        self._guess = math.log(vocabulary) if vocabulary else math.inf
        self._first: float | None = None
        self._last: float | None = None
        self._validations = 0
        self._reports = 0

    def reported(self, loss: float, baseline: float | None) -> str | None:
        """A training report. Once is enough for what no bad luck explains."""
        self._first = loss if self._first is None else self._first
        self._last = loss
        if loss > 1.5 * self._guess + 1:
            return f"the training loss of {loss:.2f} is worse than guessing"
        base = self._first if baseline is None else baseline
        guesses = loss >= _GUESSING * self._guess and base <= _ABLE * self._guess
        self._reports = self._reports + 1 if guesses else 0
        if self._reports < _REPORTS:
            return None
        return f"the training loss of {loss:.2f} has been that of guessing for {_REPORTS} reports"

    def validated(self, loss: float, baseline: float | None) -> str | None:
        """A validation after the first step. One bad one may pass, as after a warm-up's spike."""
        if baseline is None:
            return None
        far = loss > baseline + max(_SHARE * baseline, _LEAST)
        self._validations = self._validations + 1 if far and not self._learns(baseline) else 0
        if self._validations < _VALIDATIONS:
            return None
        return (
            f"the validation loss of {loss:.2f} is far above the untrained model's {baseline:.2f}, "
            f"{_VALIDATIONS} times in a row"
        )

    def _learns(self, baseline: float) -> bool:
        """Rows that are learned by heart raise the validation loss too, but not their own."""
        if self._first is None or self._last is None:
            return False
        return self._last <= baseline or self._last < _LEARNING * self._first
