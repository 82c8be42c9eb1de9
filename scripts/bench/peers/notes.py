"""What a trainer's process notes of its steps. Standard library only: some have another Python."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """After a step: seconds of CPU since the process began, and bytes at the peak."""

    step: int
    loss: float
    tokens: int
    cpu: float
    resident: int
    mlx: int | None = None


class Notes:
    """Writes them, a JSON line each."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def add(self, step: int, loss: float, tokens: int, mlx: int | None = None) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        seconds = usage.ru_utime + usage.ru_stime
        note = Note(step, loss, tokens, seconds, _resident(), mlx)
        self._file.write(json.dumps(asdict(note)) + "\n")
        self._file.flush()


def read_notes(path: Path) -> list[Note]:
    return [Note(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _resident() -> int:
    """The most that it held. Not what getrusage says on Linux: that begins with its parent's."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
