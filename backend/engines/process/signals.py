"""What the server tells a run by signal, held until the run asks at the start of a step."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Literal

Stop = Literal["save", "discard"]

TICK = 0.1


class Control:
    """SIGTERM: stop and save. SIGINT: stop without saving. SIGUSR1 and SIGUSR2: pause, go on."""

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self.paused = False

    def listen(self) -> None:
        """Take over the four signals; they only set flags, so no step is ever cut in half."""
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGINT, self._on_int)
        signal.signal(signal.SIGUSR1, self._on_pause)
        signal.signal(signal.SIGUSR2, self._on_resume)

    def wait_while_paused(self) -> None:
        """Return when the run may go on, or should stop."""
        while self.paused and self.stop is None:
            self.tick()

    def agree(self) -> None:
        """Heed what was asked, where several processes must do so at once; alone, it is heeded
        already.
        """

    def tick(self) -> None:
        """Let a moment pass."""
        time.sleep(TICK)

    def _on_term(self, _number: int, _frame: FrameType | None) -> None:
        # A stop that discards is the stronger one: it is not taken back by a later TERM.
        self.stop = self.stop or "save"

    def _on_int(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = "discard"

    def _on_pause(self, _number: int, _frame: FrameType | None) -> None:
        self.paused = True

    def _on_resume(self, _number: int, _frame: FrameType | None) -> None:
        self.paused = False
