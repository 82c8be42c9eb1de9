"""The process of a conversion: `python -m backend.engines.convert <folder>`.

It reads `request.json` from its folder, says how far it is in `events.jsonl`, and leaves
`result.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Convert to the end; 0 unless it failed."""
    return run_process(
        argv,
        module="backend.engines.convert",
        load=importing("backend.engines.convert.run:conversion_run"),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
