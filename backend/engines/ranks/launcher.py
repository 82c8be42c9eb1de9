"""MLX's launcher (`mlx.launch`) with pauses: `python -m backend.engines.ranks.launcher <its own
arguments>`. Its stderr goes where its stdout does.

The launcher asks without a pause whether its ranks take input, which they always do, and so keeps
more than one processor core busy as long as the run lasts. Here it waits for their output. It also
goes on when the run's process has been killed, and its ranks with it: here they end.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil
from mlx._distributed_utils import launch

_TICK = 0.05
_LOOK = 0.5


def paused_select(
    read: Sequence[int], write: Sequence[int], _other: Sequence[int], timeout: float
) -> tuple[list[int], list[int], list[int]]:
    """As `select.select`, but what can be written to does not end the wait."""
    readable, _, _ = select.select(read, [], [], min(timeout, _TICK))
    _, writable, _ = select.select([], write, [], 0)
    return readable, writable, []


def end_with(parent: int) -> None:
    """Wait until the run's process is gone; then end this one and every rank of this machine. Those
    of others lose contact and end by themselves.
    """
    while os.getppid() == parent:
        time.sleep(_LOOK)
    for rank in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            rank.kill()
    os._exit(1)


def main() -> None:
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    os.dup2(1, 2)
    launch.select = paused_select
    launch.main()


if __name__ == "__main__":
    main()
