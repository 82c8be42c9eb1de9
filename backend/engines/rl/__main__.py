"""The process of one run of any other method: `python -m backend.engines.rl <run folder>`.

It trains through mlx_lm_lora's own functions with our batches, rewards and callback, as `sft` does
through mlx_lm's; the folder, the events and the signals are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.engines.process.endings import Ending
from backend.engines.process.entry import run_process
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control


def main(argv: Sequence[str]) -> int:
    """Run to the end; 0 unless it failed."""
    return run_process(argv, module="backend.engines.rl", load=_load)


def _load() -> Callable[[Path, Emitter, Control], Ending]:
    from backend.engines.rl.run import train_run

    return train_run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
