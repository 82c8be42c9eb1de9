"""The ranks of a run as one of them sees it: who they are, and what all of them heed at once."""

from __future__ import annotations

import os
import threading
import time
from typing import cast

import mlx.core as mx

from backend.contract.run.config import Backend
from backend.engines.process.signals import TICK, Control
from backend.engines.ranks.share import Share
from backend.engines.ranks.words import DISCARD, PAUSE, RESUME, SAVE

_SAVE, _DISCARD, _PAUSED = 1, 2, 4


def join(backend: Backend) -> tuple[mx.distributed.Group, Share]:
    """Meet the other ranks. Raises RuntimeError when they can't be reached."""
    group = mx.distributed.init(strict=True, backend=backend)
    return group, Share(rank=group.rank(), size=group.size())


def is_lost_contact(error: BaseException) -> bool:
    """Whether another rank is gone: the communication of MLX's backends begins so."""
    return isinstance(error, RuntimeError) and str(error).startswith(
        ("[ring]", "[mpi]", "[jaccl]", "[distributed]")
    )


class GroupControl(Control):
    """Stop and pause as all ranks heed them: they change only in `agree`, which every rank calls at
    the same moments. The first rank is told by the run's process, in words on its stdin.
    """

    def __init__(self, group: mx.distributed.Group) -> None:
        super().__init__()
        self._group = group
        self._first = group.rank() == 0
        self._told = Control()

    def listen(self) -> None:
        """Hear what the launcher passes on; the signals of the run reach its own process alone."""
        if self._first:
            threading.Thread(target=self._hear, name="words of the run", daemon=True).start()

    def agree(self) -> None:
        """Take over what the first rank was told. Returns when all ranks are here."""
        command = self._told
        stop = {None: 0, "save": _SAVE, "discard": _DISCARD}[command.stop]
        mine = stop + _PAUSED * command.paused if self._first else 0
        all_of_them = mx.distributed.all_sum(mx.array(mine), group=self._group, stream=mx.cpu)
        word = cast(int, all_of_them.item())
        self.stop = "discard" if word & _DISCARD else "save" if word & _SAVE else None
        self.paused = bool(word & _PAUSED)

    def wait_while_paused(self) -> None:
        while self.paused and self.stop is None:
            time.sleep(TICK)
            self.agree()

    def _hear(self) -> None:
        rest = b""
        # Not sys.stdin: a thread that waits in its buffer is in the way of a normal end.
        while chunk := os.read(0, 4096):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._take(line.decode(errors="replace").strip())

    def _take(self, word: str) -> None:
        command = self._told
        if word == SAVE:
            command.stop = command.stop or "save"
        elif word == DISCARD:
            command.stop = "discard"
        elif word in {PAUSE, RESUME}:
            command.paused = word == PAUSE
