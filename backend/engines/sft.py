"""The process of one standard run: `python -m backend.engines.sft <run folder>`.

It owns the run folder: reads `config.yaml` and `data/`, writes `events.jsonl` and the adapter. It
trains through mlx_lm's own functions with our batches and callback, never a copy of its loop.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from backend.engines.control import Control
from backend.engines.emit import Emitter
from backend.engines.explain import Ending, explain

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run to the end and say in one last event how it ended; 0 unless it failed."""
    if len(argv) != 1:
        sys.stderr.write("Usage: python -m backend.engines.sft <run folder>\n")
        return 2
    folder = Path(argv[0])
    emit = Emitter(folder / "events.jsonl")
    control = Control()
    control.listen()
    ending = _run(folder, emit, control)
    emit(
        "exit",
        state=ending.state,
        code=ending.code,
        message=ending.message,
        hint=ending.hint,
    )
    return ending.code


def _run(folder: Path, emit: Emitter, control: Control) -> Ending:
    emit("phase", name="loading model")
    try:
        # A second of imports: the phase above is already on the screen.
        from backend.engines.finetune import train_run

        return train_run(folder, emit, control)
    except BaseException as error:  # noqa: BLE001 - the top: nothing may end in silence
        traceback.print_exc()
        return explain(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
