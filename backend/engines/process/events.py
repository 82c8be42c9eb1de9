"""Write a run's events: one JSON object per line of the run folder's `events.jsonl`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from backend.core.clock import SteadyClock
from backend.core.disk.files import append_jsonl


class Emitter:
    """Numbers and stamps events and appends them. The shapes are those of `jobs/run/events.py`.

    A number that is not finite becomes null, because NaN is not JSON; a warning says so once per
    field. In a folder that already has events (a run that is continued) the numbers go on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = _lines_of(path)
        self._warned: set[str] = set()
        self._clock = SteadyClock()

    def __call__(self, kind: str, **fields: Any) -> None:
        clean = {name: _finite(value) for name, value in fields.items()}
        self._append(kind, clean)
        lost = {name for name, value in fields.items() if clean[name] is None and value is not None}
        for name in sorted(lost - self._warned):
            self._warned.add(name)
            self._append(
                "warning",
                {
                    "code": "not_finite",
                    "message": f"{name} was {fields[name]}, which is not a number that can be "
                    "shown; it is recorded as unknown.",
                    "hint": None,
                },
            )

    def warning(self, code: str, message: str, hint: str | None = None) -> None:
        self._append("warning", {"code": code, "message": message, "hint": hint})

    def _append(self, kind: str, fields: dict[str, Any]) -> None:
        self._seq += 1
        stamp = {"seq": self._seq, "at": self._clock.now().isoformat(), "type": kind}
        append_jsonl(self._path, stamp | fields)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines_of(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
