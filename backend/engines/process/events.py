"""Write a run's events: one JSON object per line of the run folder's `events.jsonl`."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.contract.run.events import Progress, RunEvent, Warning, write_event
from backend.core.clock import SteadyClock
from backend.core.disk.files import append_jsonl

_STEPS = 1000  # Of a whole job, where it is told in parts.


class Emitter:
    """Numbers and stamps events and appends them.

    A number that is not finite becomes null, because NaN is not JSON; a warning says so once per
    field. In a folder that already has events (a run that is continued) the numbers go on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = _lines_of(path)
        self._warned: set[str] = set()
        self._clock = SteadyClock()
        self._part = (0.0, 1.0)

    def part(self, start: float, end: float) -> None:
        """Take progress from now on for that part of the whole job, as shares from 0 to 1."""
        self._part = (start, end)

    def __call__(self, event: RunEvent) -> None:
        if isinstance(event, Progress):
            event = self._of_whole(event)
        self._seq += 1
        line = write_event(event, seq=self._seq, at=self._clock.now())
        clean = {name: _finite(value) for name, value in line.items()}
        append_jsonl(self._path, clean)
        lost = {name for name, value in line.items() if clean[name] is None and value is not None}
        for name in sorted(lost - self._warned):
            self._warned.add(name)
            self.warning(
                "not_finite",
                f"{name} was {line[name]}, which is not a number that can be shown; it is "
                "recorded as unknown.",
            )

    def _of_whole(self, event: Progress) -> Progress:
        start, end = self._part
        if (start, end) == (0.0, 1.0) or event.total < 1:
            return event
        share = start + (end - start) * event.done / event.total
        return replace(event, done=round(_STEPS * share), total=_STEPS)

    def warning(self, code: str, message: str, hint: str | None = None) -> None:
        self(Warning(code=code, message=message, hint=hint))


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines_of(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
