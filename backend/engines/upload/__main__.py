"""The process of an upload: `python -m backend.engines.upload <folder>`.

It reads `request.json` from its folder, says how far it is in `events.jsonl`, and leaves
`result.json`. It alone is given the hub's token, in its environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.engines.process.entry import importing, run_process


def main(argv: Sequence[str]) -> int:
    """Upload to the end; 0 unless it failed."""
    return run_process(
        argv,
        module="backend.engines.upload",
        load=importing("backend.engines.upload.run:upload_run"),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
