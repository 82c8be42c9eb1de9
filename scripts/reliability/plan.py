"""Plan of one kill, drawn from a seed: who is killed, when, and what the run is to do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Victim = Literal["server", "engine", "both"]
Moment = Literal["start", "loading", "training", "best", "checkpoint", "stop", "end"]

_MOMENTS: tuple[Moment, ...] = ("start", "loading", "training", "best", "checkpoint", "stop", "end")
_VICTIMS: tuple[Victim, ...] = ("server", "engine", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """`delay` seconds after the moment has come; `again`: the next server too, that long after it
    was started; `save` of the stop, where there is one; `stop_after`: an adopted run is stopped.
    """

    number: int
    moment: Moment
    victim: Victim
    overwrite: bool
    delay: float
    again: float | None
    save: bool
    stop_after: bool

    def __str__(self) -> str:
        words = [f"{self.victim} at {self.moment} + {self.delay:.3f} s"]
        if self.overwrite:
            words.append("overwriting")
        if self.moment == "stop" or self.stop_after:
            words.append("stop and save" if self.save else "stop without saving")
        if self.again is not None:
            words.append(f"the next server after {self.again:.3f} s too")
        return ", ".join(words)


def plan_kill(seed: int, number: int) -> Kill:
    """The same for the same seed and number; every moment with every victim in 21 numbers."""
    chance = random.Random(f"{seed}-{number}")
    place = number % (len(_MOMENTS) * len(_VICTIMS))
    victim = _VICTIMS[place % len(_VICTIMS)]
    again = chance.uniform(0.0, 1.5) if victim != "engine" and chance.random() < 0.3 else None
    return Kill(
        number=number,
        moment=_MOMENTS[place // len(_VICTIMS)],
        victim=victim,
        overwrite=chance.random() < 0.6,
        delay=chance.choice([0.0, chance.uniform(0.0, 0.05), chance.uniform(0.0, 0.4)]),
        again=again,
        save=chance.random() < 0.5,
        stop_after=chance.random() < 0.7,
    )
