"""The process of one run of any other method: `python -m backend.engines.rl <run folder>`.

It trains through mlx_lm_lora's own functions with our batches, rewards and callback, as `sft` does
through mlx_lm's; the folder, the events and the signals are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Run to the end; 0 unless it failed."""
    return run_process(
        argv, module="backend.engines.rl", load=importing("backend.engines.rl.run:train_run")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
