"""The only door to other processes: start one detached, know it again, signal it, end it.

A process is known by its pid *and* its start time (or the mark in its environment), so a recycled
pid is never signalled. Output goes straight to files, so that nothing is blocked by a pipe; only
`reading` has one, for a thread that waits for what it reads.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal as signals
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import psutil

from backend.core.spare import MARK as MARK
from backend.core.spare import Spare
from backend.errors import EngineMissing, EngineTimeout

TICK = 0.02

# Threads that wait for a child, some for hours: those that everything else uses are few.
_waiting = ThreadPoolExecutor(32, thread_name_prefix="child")
_SAME_START = 1.5  # Seconds: psutil derives the start time from a clock that is adjusted a little.


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process is meant. `mark` is its DROID_RUN, which holds when the clock was changed."""

    pid: int
    started: float
    mark: str | None = None


class Child:
    """A process that was started here, or one from before a restart that was found again."""

    def __init__(self, identity: Identity, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.identity = identity
        self._popen = popen

    def alive(self) -> bool:
        """False as soon as it has ended; an ended child of ours is reaped by asking."""
        if self._popen is not None:
            return self._popen.poll() is None
        return alive(self.identity)

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it lives and for an adopted process."""
        return None if self._popen is None else self._popen.poll()

    def signal(self, number: signals.Signals) -> bool:
        """Send a signal to the process itself; False when there is nobody left to hear it."""
        return self.alive() and signal(self.identity, number)

    def kill(self) -> None:
        """End it and all that it started, at once. Returns when they are gone (blocks briefly)."""
        kill(self.identity, wait=self.alive)


def spawn(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log_path: Path, mark: str
) -> Child:
    """Start `argv` in its own session, stdout and stderr appended to `log_path`, no stdin.

    Raises EngineMissing when the program can't be started at all.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(log_path, flags, 0o600)
    try:
        popen = _popen(argv, cwd=cwd, env={**env, MARK: mark}, out=log, err=subprocess.STDOUT)
    finally:
        os.close(log)
    # Not yet reaped, so the pid is surely ours, even if it has already ended.
    return Child(Identity(popen.pid, _start_time(popen.pid) or time.time(), mark), popen)


def spawn_talking(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log_path: Path, mark: str
) -> tuple[Child, IO[bytes], IO[bytes]]:
    """Start `argv` in its own session with pipes to its stdin and from its stdout; its stderr
    replaces `log_path`. Who starts it must keep reading, and closes both.

    Raises EngineMissing when the program can't be started at all.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(log_path, flags, 0o600)
    pipe = subprocess.PIPE
    try:
        popen = _popen(argv, cwd=cwd, env={**env, MARK: mark}, out=pipe, err=log, stdin=pipe)
    finally:
        os.close(log)
    child = Child(Identity(popen.pid, _start_time(popen.pid) or time.time(), mark), popen)
    return child, cast("IO[bytes]", popen.stdin), cast("IO[bytes]", popen.stdout)


def alive(identity: Identity) -> bool:
    """Whether that very process still runs. A zombie has ended."""
    return _find(identity) is not None


def works_on(identity: Identity, folder: Path) -> bool:
    """Whether that process is for this very folder, by its mark or however its path is written."""
    process = _find(identity)
    if process is None:
        return False
    if _has_mark(process, str(folder)):
        return True
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(os.path.realpath(word) == str(folder) for word in words if word.startswith("/"))


def find_marked(mark: str) -> Identity | None:
    """The oldest living process that carries `mark`: a run whose pid was never written down."""
    processes = [process for process in psutil.process_iter() if _has_mark(process, mark)]
    starts = [(start, p.pid) for p in processes if (start := _start_time(p.pid)) and _may_signal(p)]
    return Identity(min(starts)[1], min(starts)[0], mark) if starts else None


def signal(identity: Identity, number: signals.Signals) -> bool:
    """Signal that process, and only it, after checking that it is the one meant."""
    process = _find(identity)
    if process is None:
        return False
    try:
        process.send_signal(number)
    except psutil.Error:
        return False
    return True


def kill(
    identity: Identity, *, wait: Callable[[], object] | None = None, limit: float = 5.0
) -> None:
    """Kill the process, its group, its descendants, and whatever carries its mark.

    Several rounds, because a process may fork while it is being killed.
    """
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        processes = family(identity)
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        if wait is not None:
            wait()  # Reaps a child of ours.
        if not processes:
            return
        time.sleep(TICK)


def family(identity: Identity) -> list[psutil.Process]:
    """The living processes of a run: itself, its descendants, its group, and the marked ones."""
    leader = _find(identity)
    processes: dict[int, psutil.Process] = {}
    if leader is not None:
        processes[leader.pid] = leader
        with suppress(psutil.Error):
            processes.update({child.pid: child for child in leader.children(recursive=True)})
    for process in psutil.process_iter():
        if process.pid not in processes and _belongs(process, identity, leader is not None):
            processes[process.pid] = process
    return [process for process in processes.values() if _may_signal(process)]


@dataclass(frozen=True, slots=True)
class CompletedChild:
    """A short child that has ended: exit code (negative: signal) and what it wrote, capped."""

    exit_code: int
    stdout: bytes
    stderr: str
    overflowed: bool = False


async def run_child(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    deadline: float,
    stdin_json: Any = None,
    output_cap: int = 16 * 1024 * 1024,
) -> CompletedChild:
    """Run a short child to its end in a thread: JSON on its stdin, its output in files.

    A child that writes more than `output_cap` bytes is killed and marked `overflowed`. One that
    is not done after `deadline` seconds is killed with all it started, and EngineTimeout raised;
    EngineMissing if it can't be started. Cancelling the caller kills the child too.
    """
    cancelled = threading.Event()
    work = asyncio.get_running_loop().run_in_executor(
        _waiting, _run, argv, cwd, dict(env), deadline, stdin_json, output_cap, cancelled
    )
    try:
        return await asyncio.shield(work)
    finally:
        cancelled.set()  # After a normal end nobody looks at it any more.


class Reading:
    """A child whose stdout is read as it is written."""

    def __init__(self, popen: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._popen = popen
        self._errors = errors

    def lines(self) -> Iterator[bytes]:
        """Every line up to the end of its output; waits for each."""
        if self._popen.stdout is not None:
            yield from self._popen.stdout

    def problem(self) -> str | None:
        """Waits for its end; the last line it complained in unless it ended well."""
        code = self._popen.wait()
        if code == 0:
            return None
        start = max(0, _size(self._errors) - 4096)
        lines = _read(self._errors, start, 4096).decode(errors="replace").strip().splitlines()
        return (lines or [f"exit code {code}"])[-1][:300]


@contextmanager
def reading(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Iterator[Reading]:
    """Start a child to read from, in a thread that may wait for it. Leaving ends it, read or not.

    Raises EngineMissing if it can't be started. A child that is not read waits, so it takes no
    more memory than the pipe; one whose reader has died ends when it writes.
    """
    mark = f"reading-{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}"
    with tempfile.TemporaryFile() as err:
        popen = _popen(
            argv, cwd=cwd, env={**env, MARK: mark}, out=subprocess.PIPE, err=err.fileno()
        )
        child = Child(Identity(popen.pid, _start_time(popen.pid) or time.time(), mark), popen)
        try:
            yield Reading(popen, err)
        finally:
            child.kill()
            if popen.stdout is not None:
                popen.stdout.close()


def _run(
    argv: Sequence[str],
    cwd: Path,
    env: dict[str, str],
    deadline: float,
    stdin_json: Any,
    output_cap: int,
    cancelled: threading.Event,
) -> CompletedChild:
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        source.write(json.dumps(stdin_json, allow_nan=False).encode())
        source.seek(0)
        mark = f"child-{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}"
        env[MARK] = mark
        popen = _popen(
            argv, cwd=cwd, env=env, out=out.fileno(), err=err.fileno(), stdin=source.fileno()
        )
        child = Child(Identity(popen.pid, _start_time(popen.pid) or time.time(), mark), popen)
        end = time.monotonic() + deadline

        def too_much() -> bool:
            return max(_size(out), _size(err)) > output_cap

        while child.alive() and not cancelled.is_set():
            if too_much() or time.monotonic() > end:
                break
            with suppress(subprocess.TimeoutExpired):
                popen.wait(TICK)
        late = child.alive() and not too_much() and not cancelled.is_set()
        child.kill()  # And what it left behind, also after a good end.
        overflowed = too_much()  # Also one that wrote it all within a tick and ended well.
        if late:
            raise EngineTimeout(
                f"{' '.join(argv[1:3])} did not answer within {deadline:g} seconds and was ended.",
                hint="Try again; if it stays so, the log of the server says more.",
            )
        return CompletedChild(
            exit_code=popen.wait(),
            stdout=_read(out, 0, output_cap),
            stderr=_read(err, max(0, _size(err) - 64 * 1024), 64 * 1024).decode(errors="replace"),
            overflowed=overflowed,
        )


def _popen(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    out: int,
    err: int,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """A waiting process where one fits, or a fresh one."""
    return spare.take(argv, cwd, env, (stdin, out, err)) or _fresh(argv, cwd, env, stdin, out, err)


def _fresh(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: int, out: int, err: int
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv), cwd=cwd, env=env, stdin=stdin, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise EngineMissing(
            f"{argv[0]} could not be started: {reason}.",
            hint="Run ./startmlxnew to set up the Python environment, or point DROID_PYTHON at "
            "a Python that has mlx-lm.",
        ) from problem


def _find(identity: Identity) -> psutil.Process | None:
    """That process, if it lives and is the one meant. Never init, ourselves or a wild number."""
    pid = identity.pid
    if type(pid) is not int or pid < 2 or pid == os.getpid():
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        same = abs(process.create_time() - identity.started) < _SAME_START
    except (psutil.Error, OverflowError):
        return None
    return process if same or _has_mark(process, identity.mark) else None


def _belongs(process: psutil.Process, identity: Identity, leader_lives: bool) -> bool:
    if _has_mark(process, identity.mark):
        return True
    if not leader_lives:  # Its group number may by now be another's.
        return False
    with suppress(OSError):
        return os.getpgid(process.pid) == identity.pid
    return False


def _has_mark(process: psutil.Process, mark: str | None) -> bool:
    if not mark:
        return False
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARK) == mark
    return False


def _may_signal(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return (
            process.pid >= 2
            and process.pid != os.getpid()
            and process.status() != psutil.STATUS_ZOMBIE
        )
    return False


def _start_time(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _read(file: IO[bytes], start: int, limit: int) -> bytes:
    return os.pread(file.fileno(), limit, start)


# The one waiting process of this program: `jobs/lifecycle/spare_engine.py` begins and ends it.
spare = Spare(_fresh, lambda pid, mark: _has_mark(psutil.Process(pid), mark))
