"""The process of one evaluation: `python -m backend.engines.evaluate <folder>`.

It reads `request.json` and `rows.jsonl` from its folder, says how far it is in `events.jsonl`, and
leaves `result.json`. One base is loaded; every target is an adapter put onto it in turn, so all
sides answer the same questions with the same weights beneath.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Evaluate to the end; 0 unless it failed."""
    return run_process(
        argv,
        module="backend.engines.evaluate",
        load=importing("backend.engines.evaluate.run:evaluate_run"),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
