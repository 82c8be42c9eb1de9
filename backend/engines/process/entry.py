"""The outermost layer of a run's process: signals, events, and one last event whatever happens."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Literal

from backend.contract.run.events import Exit, Phase, Warning
from backend.contract.run.folder import EVENTS, WARNINGS
from backend.engines.process.endings import Ending, explain
from backend.engines.process.events import Emitter
from backend.engines.process.import_cache import cache_imports
from backend.engines.process.signals import Control

_TRAINING = frozenset({"backend.engines.sft", "backend.engines.rl"})
Work = Callable[[Path, Emitter, Control], Ending]
Load = Callable[[], Work]


def run_process(argv: Sequence[str], *, module: str, load: Load) -> int:
    """Run to the end and say in one last event how it ended; 0 unless it failed.

    `load` imports the engine and answers what trains: a second that passes with the first phase
    already on the screen.
    """
    if len(argv) != 1:
        sys.stderr.write(f"Usage: python -m {module} <run folder>\n")
        return 2
    folder = Path(argv[0])
    emit = Emitter(folder / EVENTS)
    control = Control()
    control.listen()
    ending = _run(folder, emit, control, load, training=module in _TRAINING)
    emit(
        Exit(
            state=ending.state,
            code=ending.code,
            message=ending.message,
            hint=ending.hint,
            saved=ending.saved or ending.state == "completed",
        )
    )
    return ending.code


def importing(place: str) -> Load:
    """The loader of the function at `module:name`."""
    module, _, name = place.partition(":")

    def load() -> Work:
        work: Work = getattr(import_module(module), name)
        return work

    return load


def _run(folder: Path, emit: Emitter, control: Control, load: Load, *, training: bool) -> Ending:
    emit(Phase(name="loading model"))
    try:
        for known in _known(folder / WARNINGS):
            level: Literal["info", "warning"] = (
                "info" if known.get("level") == "info" else "warning"
            )
            emit(Warning(code=known["code"], message=known["message"], level=level))
        cache_imports()
        return load()(folder, emit, control)
    except BaseException as error:  # noqa: BLE001 - the top: nothing may end in silence
        traceback.print_exc()
        return explain(error, training=training)


def _known(path: Path) -> list[dict[str, str]]:
    """What was warned of before the run began; whoever watches the run should hear it too."""
    try:
        warnings: list[dict[str, str]] = json.loads(path.read_bytes())
    except FileNotFoundError:  # A run folder of an earlier version.
        return []
    return warnings
