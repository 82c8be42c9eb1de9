"""Programs that an export starts: its smoke test, and llama.cpp's quantiser where there is one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.core.process import MARK, TICK, spawn
from backend.engines.export.tensor_files import Stopped

_ROOT = Path(__file__).resolve().parents[3]


def run_program(
    argv: Sequence[str], *, log: Path, stopped: Callable[[], bool], limit: float
) -> tuple[int | None, str]:
    """Run a program to its end; its exit code, null when the limit passed, and its output's end.

    Raises Stopped, with the program gone, when the export is asked to stop.
    """
    env = {**os.environ, "PYTHONPATH": str(_ROOT)}
    # The mark of the export's own run: who ends that ends this.
    mark = os.environ.get(MARK) or str(log.parent)
    child = spawn(argv, cwd=log.parent, env=env, log_path=log, mark=mark)
    deadline = time.monotonic() + limit
    try:
        while child.alive():
            if stopped():
                raise Stopped
            if time.monotonic() > deadline:
                return None, _tail(log)
            time.sleep(TICK)
    finally:
        child.kill()
    return child.exit_code(), _tail(log)


def python_module(module: str, *arguments: str) -> list[str]:
    """The command line of a module of this checkout."""
    return [sys.executable, "-m", module, *arguments]


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    return " ".join(text[-2000:].split())[-600:]
