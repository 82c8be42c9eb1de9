"""A program run to its end, with the memory of it and of everything it started."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.setup.stamps import CHECKOUT

_TICK = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """`peak_bytes` is the largest sum over the processes that ran at once; `marks` are the seconds
    after which each name was first there; `cpu_seconds` are those of all its processes, which say
    more than `seconds` on a machine that others use.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    marks: Mapping[str, float]


def watch(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    marks: Mapping[str, Callable[[], bool]] = {},
) -> Watched:
    """Run it. Raises RuntimeError with the end of its output when it fails."""
    started, peak, used = time.monotonic(), 0, _cpu_of_children()
    found: dict[str, float] = {}
    with log.open("wb") as output:
        child = psutil.Popen(
            command, cwd=CHECKOUT, env=dict(env), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        while child.poll() is None:
            peak = max(peak, tree_memory(child))
            for name, is_there in marks.items():
                if name not in found and is_there():
                    found[name] = time.monotonic() - started
            time.sleep(_TICK)
    if child.returncode != 0:
        text = log.read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(
            f"{' '.join(command[:4])} ended with {child.returncode}:\n{text[-2000:]}"
        )
    return Watched(
        seconds=time.monotonic() - started,
        cpu_seconds=_cpu_of_children() - used,
        peak_bytes=peak,
        marks=found,
    )


def _cpu_of_children() -> float:
    """Of all that this process has waited for, and that those have."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tree_memory(parent: psutil.Process) -> int:
    """Resident bytes of a process and all below it; pages that they share count for each."""
    total = 0
    with suppress(psutil.Error):
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total
