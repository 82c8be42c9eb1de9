"""Write a run's events: one JSON object per line of the run folder's `events.jsonl`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.contract.run.events import Progress, RunEvent, Warning, write_event
from backend.core.clock import SteadyClock
from backend.core.disk.files import append_jsonl


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

    def __call__(self, event: RunEvent) -> None:
        self._seq += 1
        line = write_event(event, seq=self._seq, at=self._clock.now())
        lost: dict[str, float] = {}
        append_jsonl(self._path, _finite(line, "", lost))
        for name in sorted(lost.keys() - self._warned):
            self._warned.add(name)
            message = (
                f"{name} was {lost[name]}, which is not a number that can be shown; it is "
                "recorded as unknown."
            )
            self(Warning(code="not_finite", message=message, metric=name))

    def catch_up(self) -> None:
        """Go on after events that another process has written since."""
        self._seq = _lines_of(self._path)

    def warning(self, code: str, message: str, hint: str | None = None) -> None:
        self(Warning(code=code, message=message, hint=hint))


class PartEmitter(Emitter):
    """Hands events on to another emitter, with its progress as a part of a longer job's: from
    `start` to `end`, of `total`.
    """

    def __init__(self, emit: Emitter, *, start: int, end: int, total: int) -> None:
        self._emit = emit
        self._start, self._end, self._total = start, end, total

    def __call__(self, event: RunEvent) -> None:
        if isinstance(event, Progress):
            share = event.done / event.total if event.total else 0.0
            done = self._start + round(share * (self._end - self._start))
            event = Progress(done=done, total=self._total, target=event.target)
        self._emit(event)


def _finite(value: Any, name: str, lost: dict[str, float]) -> Any:
    """`value` as JSON can say it; what it can't goes to `lost`, by its dotted name."""
    if isinstance(value, Mapping):
        return {
            key: _finite(item, f"{name}.{key}" if name else str(key), lost)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_finite(item, name, lost) for item in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    lost[name] = value
    return None


def _lines_of(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
