"""What an earlier run left for one that continues it: its saved states and its history.

The engine writes `state/` (`backend/engines/trainer/resume_state.py`). Here it is read and handed
on: the new run folder gets the states and the events up to the step at which it goes on, so that it
is whole by itself: one chart, and every earlier checkpoint to continue from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.contract.record import BadRecord, read_record
from backend.contract.run.events import Resumed, write_event
from backend.contract.run.folder import EVENTS, STATE, STATE_FILE
from backend.contract.run.saved_state import SavedState
from backend.core.disk.files import JsonlTail, append_jsonl, link_or_copy
from backend.core.disk.stored_files import DamagedFile, read_object

_FILE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def saved_states(run: Path) -> list[SavedState]:
    """The whole states of a run folder, oldest first. One that was cut short is left out."""
    folder = run / STATE
    if not folder.is_dir():
        return []
    states = []
    for path in sorted(folder.iterdir()):
        state = _read(path) if STATE_FILE.fullmatch(path.name) else None
        if state is not None and all(_is_there(folder, name) for name in state.files):
            states.append(state)
    return states


def hand_on(
    source: Path, target: Path, state: SavedState, *, session_id: str, adapter: Path
) -> None:
    """Fill the folder of a run that continues the one in `source` at `state`. Blocking."""
    (target / STATE).mkdir()
    for earlier in saved_states(source):
        if earlier.checkpoint <= state.checkpoint:
            for name in reversed(earlier.files):  # The JSON last, as the engine does.
                copy = target / STATE / name
                if not copy.exists():
                    link_or_copy(source / STATE / name, copy)
    number = 0
    for number, event in enumerate(_history(source, state), start=1):
        if isinstance(event.get("path"), str):
            event["path"] = str(adapter / Path(event["path"]).name)
        append_jsonl(target / EVENTS, event | {"seq": number})
    resumed = Resumed(step=state.step, session_id=session_id)
    append_jsonl(target / EVENTS, write_event(resumed, seq=number + 1, at=datetime.now(UTC)))


def _history(source: Path, state: SavedState) -> Iterator[dict[str, Any]]:
    """The events of the steps that are not trained again."""
    for event in JsonlTail(source / EVENTS).read_all():
        if isinstance(event, dict) and _is_kept(event, state):
            yield event


def _is_kept(event: dict[str, Any], state: SavedState) -> bool:
    step = event.get("step")
    if not isinstance(step, int):
        return False
    match event.get("type"):
        case "metrics" | "sample" | "resumed":
            return step <= state.step
        case "validation":  # That of the step itself comes again where it was not finished.
            return step < state.step or step == state.validated == state.step
        case "best":
            return state.best is not None and step <= state.best[0]
        case "checkpoint":
            return step <= state.checkpoint
        case _:
            return False


def _read(path: Path) -> SavedState | None:
    try:
        state = read_record(SavedState, read_object(path))
    except (OSError, DamagedFile, BadRecord):
        return None
    return state if all(re.match(_FILE, name) for name in state.files) else None


def _is_there(folder: Path, name: str) -> bool:
    return (folder / name).is_file()
