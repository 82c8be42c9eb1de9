"""MLX's launcher (`mlx.launch`) with pauses: `python -m backend.engines.ranks.launcher <its own
arguments>`. Its stderr goes where its stdout does.

The launcher asks without a pause whether its ranks take input, which they always do, and so keeps
more than one processor core busy as long as the run lasts. Here it waits for their output.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence

from mlx._distributed_utils import launch

_TICK = 0.05


def paused_select(
    read: Sequence[int], write: Sequence[int], _other: Sequence[int], timeout: float
) -> tuple[list[int], list[int], list[int]]:
    """As `select.select`, but what can be written to does not end the wait."""
    readable, _, _ = select.select(read, [], [], min(timeout, _TICK))
    _, writable, _ = select.select([], write, [], 0)
    return readable, writable, []


def main() -> None:
    os.dup2(1, 2)
    launch.select = paused_select
    launch.main()


if __name__ == "__main__":
    main()
