"""The process of an upload: `python -m backend.engines.upload <folder>`.

It reads `request.json` from its folder, says how far it is in `events.jsonl`, and leaves
`result.json`. It alone is given the hub's token, in its environment.
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
    """Upload to the end; 0 unless it failed."""
    return run_process(argv, module="backend.engines.upload", load=_load)


def _load() -> Callable[[Path, Emitter, Control], Ending]:
    from backend.engines.upload.run import upload_run

    return upload_run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
