"""The states of a run and the moves between them; every change goes through `move`."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """What a run is doing. `idle` means that there is no run."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    COMPLETED = "completed"
    STOPPED = "stopped"
    ERROR = "error"
    INTERRUPTED = "interrupted"


ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSED, RunState.STOPPING})
FINAL = frozenset({RunState.COMPLETED, RunState.STOPPED, RunState.ERROR, RunState.INTERRUPTED})

_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.IDLE: frozenset({RunState.STARTING}),
    RunState.STARTING: frozenset({RunState.RUNNING, RunState.STOPPING, *FINAL}),
    RunState.RUNNING: frozenset({RunState.PAUSED, RunState.STOPPING, *FINAL}),
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.STOPPING, *FINAL}),
    RunState.STOPPING: FINAL,
    **{state: frozenset({RunState.STARTING}) for state in FINAL},
}


class IllegalMove(Exception):
    """A change of state that the table does not allow: a bug, never a user's mistake."""


def move(current: RunState, target: RunState) -> RunState:
    """Return `target` if the table allows it from `current`; raise IllegalMove otherwise."""
    if target not in _MOVES[current]:
        raise IllegalMove(f"A run can't go from {current} to {target}.")
    return target
