"""The process of one standard run: `python -m backend.engines.sft <run folder>`.

It owns the run folder: reads `config.yaml` and `data/`, writes `events.jsonl` and the adapter. It
trains through mlx_lm's own functions with our batches and callback, never a copy of its loop.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Run to the end; 0 unless it failed."""
    return run_process(
        argv, module="backend.engines.sft", load=importing("backend.engines.sft.start:start_run")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
