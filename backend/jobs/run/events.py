"""What a run says about itself: its events, as the server reads them from its `events.jsonl`.

The engine process writes them; `contract/run/events.py` has their classes.
"""

from __future__ import annotations

from typing import TypeAlias

from backend.contract.run.events import (
    Best,
    Checkpoint,
    EarlyStop,
    Exit,
    Metrics,
    Model,
    Phase,
    Resumed,
    Sample,
    Tested,
    Validation,
    Warning,
    read_event,
)

__all__ = [
    "Best",
    "Checkpoint",
    "EarlyStop",
    "Event",
    "Exit",
    "Metrics",
    "Model",
    "Phase",
    "Resumed",
    "Sample",
    "Tested",
    "Validation",
    "Warning",
    "parse_event",
]

Event: TypeAlias = (
    Phase
    | Model
    | Metrics
    | Validation
    | Tested
    | Checkpoint
    | Best
    | Sample
    | Warning
    | EarlyStop
    | Resumed
    | Exit
)


def parse_event(raw: object) -> Event | None:
    """The event of one line's JSON value; None for a type or shape this version does not know."""
    event = read_event(raw)
    return event if isinstance(event, Event) else None
