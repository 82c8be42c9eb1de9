"""A process that has done its imports and waits for what it is to be: the server's side of it.

The imports of an engine take most of the time until it can begin. `Spare` holds one process that
has done them and waits at its standard input, a socket. Whoever would start an engine takes it over
instead: arguments, folder, environment and mark go over the socket, and its streams beside them.
From then on it is what a fresh process would have been: in a session of its own since its start,
found and ended by the same mark. Where anything is not as it should be, a fresh one is started.

The other side is `backend/engines/process/spare.py`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Generic, Protocol, TypeVar

MARK = "DROID_RUN"  # Every process of a run carries its folder's path here, setsid or not.
MODULE = "backend.engines.process.spare"
# The environment keeps this many bytes for the mark, which is written into them later.
ROOM = 4096
# Known only when it is taken over, and read by nothing that was imported before.
LATE = frozenset({MARK, "WANDB_API_KEY", "SWANLAB_API_KEY", "DROID_JUDGE_KEY"})

PIPE, STDOUT, DEVNULL = -1, -2, -3  # As subprocess calls them.
_ANSWER_WITHIN = 5.0


class Process(Protocol):
    """What is needed of a process that was started: subprocess.Popen has it."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def kill(self) -> None: ...


P = TypeVar("P", bound=Process)
Start = Callable[[Sequence[str], Path, Mapping[str, str], int, int, int], P]
Marked = Callable[[int, str], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a spare process may become: one of `modules` of that Python, in that folder, with that
    environment but for the names in LATE. `imports` is what it does beforehand.
    """

    python: str
    cwd: Path
    env: Mapping[str, str]
    modules: frozenset[str]
    imports: tuple[str, ...]
    idle: float  # Seconds after which it ends unused, also when nobody ends it.

    def fits(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> bool:
        mark = env.get(MARK, "")
        return (
            len(argv) > 2
            and (argv[0], argv[1], cwd) == (self.python, "-m", self.cwd)
            and argv[2] in self.modules
            and 0 < len(os.fsencode(mark)) < ROOM - 8
            and _early(env) == _early(self.env)
        )


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[P]):
    kind: Kind
    process: P
    talk: socket.socket


class Spare(Generic[P]):
    """At most one waiting process. `start` starts one with a socket as its standard input, and
    `marked` says whether a process carries a mark. Any thread.
    """

    def __init__(self, start: Start[P], marked: Marked) -> None:
        self._start = start
        self._marked = marked
        self._lock = threading.Lock()
        self._waiting: _Waiting[P] | None = None
        self.works = True  # False once one did not carry its mark: then none is started any more.

    def begin(self, kind: Kind) -> None:
        """Start one, unless one of that kind waits. Blocking; raises what `start` raises."""
        with self._lock:
            waiting = self._waiting
            if not self.works or (
                waiting is not None and waiting.kind == kind and waiting.process.poll() is None
            ):
                return
            self._waiting = None
            if waiting is not None:
                _end(waiting)
            ours, its = socket.socketpair()
            with its:
                try:
                    # Never empty, so that the room is in its environment from the first moment.
                    env = {**kind.env, MARK: f"spare-{os.getpid()}-".ljust(ROOM, ".")}
                    words = [f"{kind.idle:g}", *kind.imports]
                    argv = [kind.python, "-m", MODULE, *words]
                    process = self._start(argv, kind.cwd, env, its.fileno(), DEVNULL, DEVNULL)
                except BaseException:
                    ours.close()
                    raise
            self._waiting = _Waiting(kind, process, ours)

    def pid(self) -> int | None:
        """Of the one that waits, or imports; None where there is none. Reaps one that ended."""
        with self._lock:
            waiting = self._waiting
            if waiting is not None and waiting.process.poll() is not None:
                waiting.talk.close()
                waiting = self._waiting = None
            return None if waiting is None else waiting.process.pid

    def ready(self) -> bool:
        """Whether one waits with its imports done."""
        with self._lock:
            return self._waiting is not None and _says_something(self._waiting)

    def end(self) -> None:
        """End it. Blocks until it is gone."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            _end(waiting)

    def take(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
    ) -> P | None:
        """The waiting process, which now is what `argv` asks for; None where there is none that
        fits: nothing was begun then. `streams` are its input, output and errors, as subprocess
        takes them: a PIPE is set on it as a fresh process has it. Blocking.
        """
        with self._lock:
            waiting = self._waiting
            if waiting is None or not waiting.kind.fits(argv, cwd, env):
                return None
            if waiting.process.poll() is None and not _says_something(waiting):
                return None  # It imports still.
            self._waiting = None
        try:
            with ExitStack() as its, waiting.talk:
                own = _Streams(its, *streams)
                try:
                    self._hand_over(waiting, argv, cwd, env, own.handles)
                except BaseException:
                    own.close_ours()
                    raise
        except OSError:
            _end(waiting)
            return None
        process = waiting.process
        process.stdin, process.stdout = own.into, own.out_of
        return process

    def _hand_over(
        self,
        waiting: _Waiting[P],
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: Sequence[int],
    ) -> None:
        """Raises OSError where it does not do it in time; it has begun nothing then."""
        request = {"argv": list(argv[2:]), "cwd": str(cwd), "env": dict(env), "mark": env[MARK]}
        line = json.dumps(request).encode() + b"\n"
        talk, pid = waiting.talk, waiting.process.pid
        talk.settimeout(_ANSWER_WITHIN)
        if talk.recv(1) != b"r":
            raise OSError("the process has ended")
        sent = socket.send_fds(talk, [line], list(streams))
        talk.sendall(line[sent:])
        if talk.recv(1) != b"t":
            raise OSError("the process has ended")
        if not self._marked(pid, env[MARK]):
            self.works = False
            raise OSError("the process does not carry its mark")
        talk.sendall(b"g")


class _Streams:
    """The three streams of the process that is taken over, and our ends of its pipes."""

    def __init__(self, its: ExitStack, stdin: int, out: int, err: int) -> None:
        self._its = its
        self.into: IO[bytes] | None = None
        self.out_of: IO[bytes] | None = None
        reads = self._handle(stdin, writing=False)
        writes = self._handle(out, writing=True)
        self.handles = (reads, writes, writes if err == STDOUT else self._handle(err, writing=True))

    def close_ours(self) -> None:
        for ours in (self.into, self.out_of):
            if ours is not None:
                ours.close()

    def _handle(self, stream: int, *, writing: bool) -> int:
        if stream == PIPE:
            reads, writes = os.pipe()
            if writing:
                self.out_of, handle = os.fdopen(reads, "rb"), writes
            else:
                self.into, handle = os.fdopen(writes, "wb"), reads
        elif stream == DEVNULL:
            handle = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        else:
            return stream
        self._its.callback(os.close, handle)
        return handle


def _early(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in LATE}


def _says_something(waiting: _Waiting[Any]) -> bool:
    return bool(select.select([waiting.talk], [], [], 0)[0])


def _end(waiting: _Waiting[Any]) -> None:
    waiting.talk.close()
    with suppress(OSError):
        waiting.process.kill()
    waiting.process.wait()
