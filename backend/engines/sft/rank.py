"""One rank of a standard run that several processes train together:
`python -m backend.engines.sft.rank <run folder> <backend>`, as MLX's launcher starts it.

Every rank takes the same decisions from the same numbers; the first alone writes.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import cast

from backend.contract.run.config import Backend
from backend.contract.run.folder import EVENTS
from backend.engines.process.endings import Ending, explain
from backend.engines.process.events import Emitter
from backend.engines.process.import_cache import cache_imports
from backend.engines.ranks.followers import SilentEmitter
from backend.engines.ranks.group import GroupControl, is_lost_contact, join
from backend.engines.ranks.words import write_ending


def main(argv: Sequence[str]) -> int:
    """Train to the end; 0 unless it failed."""
    folder, backend = Path(argv[0]), cast(Backend, argv[1])
    rank = int(os.environ.get("MLX_RANK", "0"))
    try:
        cache_imports()
        from backend.engines.sft.run import train_run  # After that: it brings transformers.

        group, share = join(backend)
        rank = share.rank
        control = GroupControl(group)
        control.listen()
        if share.first:
            ending = train_run(folder, Emitter(folder / EVENTS), control, share)
        else:
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                ending = train_run(folder, SilentEmitter(), control, share)
    except BaseException as error:  # noqa: BLE001 - the top: nothing may end in silence
        traceback.print_exc()
        lost = is_lost_contact(error)
        ending = Ending("error", str(error).splitlines()[0]) if lost else explain(error)
        write_ending(folder, rank, ending, lost=lost)
        return ending.code
    write_ending(folder, rank, ending)
    return ending.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
