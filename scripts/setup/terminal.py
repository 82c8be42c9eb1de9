"""What the person at the terminal sees while things are set up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.setup.stamps import CHECKOUT

_TAIL = 40


class SetupFailed(Exception):
    """A step failed; the message says why and what to do."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show a step with the seconds it takes: counting on a terminal, two lines' worth elsewhere."""
    started = time.monotonic()
    done = threading.Event()
    counter = threading.Thread(target=_count, args=(title, started, done), daemon=True)
    if sys.stdout.isatty():
        counter.start()
    else:
        print(f"  {title} …", flush=True)
    try:
        yield
    except BaseException:
        _finish(counter, done, f"  ✗ {title}")
        raise
    _finish(counter, done, f"  ✓ {title} ({time.monotonic() - started:.1f} s)")


def _count(title: str, started: float, done: threading.Event) -> None:
    while not done.is_set():
        print(f"\r  {title} … {time.monotonic() - started:.0f} s ", end="", flush=True)
        done.wait(0.25)


def _finish(counter: threading.Thread, done: threading.Event, line: str) -> None:
    done.set()
    if counter.is_alive():
        counter.join()
        print("\r\033[2K", end="")
    print(line, flush=True)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> None:
    """Run a command quietly; on failure raise SetupFailed with the end of its output."""
    with tempfile.TemporaryFile() as output:
        code = _call(command, output.fileno(), env)
        if code == 0:
            return
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()[-_TAIL:]
    shown = "\n".join(f"    {line}" for line in lines)
    raise SetupFailed(f"{Path(command[0]).name} ended with code {code}:\n{shown}")


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether a command ends well; its output is of no interest."""
    try:
        return _call(command, subprocess.DEVNULL, None) == 0
    except SetupFailed:
        return False


def answer_of(command: Sequence[str | Path]) -> str | None:
    """What a short command prints, or None when it can't be run."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _call(command: Sequence[str | Path], output: int, env: Mapping[str, str] | None) -> int:
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd=CHECKOUT,
            env={**os.environ, **_writable_caches(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    except OSError as problem:
        raise SetupFailed(f"{command[0]} can't be run: {problem.strerror}.") from problem


def _writable_caches() -> dict[str, str]:
    """Tools keep downloads in the home folder; where that can't be written, in the checkout."""
    if os.access(Path(os.environ.get("HOME") or "/nonexistent"), os.W_OK):
        return {}
    cache = CHECKOUT / ".cache"
    return {
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "npm_config_cache": str(cache / "npm"),
    }
