"""The process of one fusion: `python -m backend.engines.fusion <folder>`.

It reads `request.json` from its folder, says how far it is in `events.jsonl`, and leaves an adapter
and `result.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Fuse to the end; 0 unless it failed."""
    return run_process(
        argv,
        module="backend.engines.fusion",
        load=importing("backend.engines.fusion.run:fusion_run"),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
