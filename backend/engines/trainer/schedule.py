"""When the engine reports, for a run that does not begin at step 0.

The engine counts its steps from 1, and decides by `count % every == 0`. That question is answered
for the steps of the whole run, so that a continued run keeps the rhythm of an unbroken one without
a copy of the engine's loop.
"""

from __future__ import annotations


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
