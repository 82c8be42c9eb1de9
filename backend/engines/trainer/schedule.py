"""When the engine reports and validates, for a run that does not begin at step 0.

The engine counts its steps from 1, and decides by `count % every == 0`. Both classes answer that
question for the steps of the whole run, so that a continued run keeps the rhythm of an unbroken
one without a copy of the engine's loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.engines.trainer.types import Tokenised


class Every(int):
    """An int for which `count % Every(n, after=k)` is 0 where the run's step k + count is due."""

    after: int

    def __new__(cls, every: int, *, after: int) -> Every:
        every_steps = super().__new__(cls, every)
        every_steps.after = after
        return every_steps

    def __rmod__(self, count: int) -> int:
        # Python asks this before int.__mod__, because Every is a kind of int.
        return (self.after + count) % int(self)


class WhenDue:
    """A validation set that is only there when a validation is due: `if val_dataset and …`.

    The engine always validates at its first step; a continued run does so only in its rhythm.
    """

    def __init__(self, dataset: Tokenised, due: Callable[[], bool]) -> None:
        self._dataset = dataset
        self._due = due

    def __bool__(self) -> bool:
        return self._due()

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[index]
