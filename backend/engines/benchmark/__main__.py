"""The process of a benchmark: `python -m backend.engines.benchmark <folder>`.

It reads `request.json` from its folder, says how far it is in `events.jsonl`, and leaves
`result.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Measure to the end; 0 unless it failed."""
    return run_process(
        argv,
        module="backend.engines.benchmark",
        load=importing("backend.engines.benchmark.run:benchmark_run"),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
