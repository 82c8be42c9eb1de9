"""The run's own process, where several train: it starts them through MLX's launcher, passes on what
the server asks, and knows why they ended. The launcher itself ends with 0 when a rank has died.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from backend.contract.run.config import Distributed
from backend.core.process import MARK, Child, spawn_talking
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control, Stop
from backend.engines.ranks.words import (
    DISCARD,
    PAUSE,
    RESUME,
    SAVE,
    RankEnding,
    take_endings,
)

_ROOT = Path(__file__).resolve().parents[3]
_DEAD = re.compile(r"Node with rank (\d+) (?:exited with code (-?\d+)|was killed)")
_THREADS = "OPENBLAS_NUM_THREADS"
# What the ranks on other machines need of our environment.
_CARRIED = (
    "PYTHONUNBUFFERED", "PYTHONUTF8", "NO_COLOR", "HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM",
)  # fmt: skip


def run_ranks(
    folder: Path, distributed: Distributed, *, module: str, emit: Emitter, control: Control
) -> Ending:
    """Run `python -m <module> <run folder> <backend>` as every rank, to the end of all."""
    take_endings(folder)  # Of an earlier process of this run.
    environment = _environment(distributed)
    child, words, output = spawn_talking(
        [
            sys.executable, "-m", "backend.engines.ranks.launcher",
            *launcher_arguments(distributed, environment), "--",
            sys.executable, "-m", module, str(folder), distributed.backend,
        ],
        cwd=_ROOT, env=environment, log_path=Path(os.devnull),
        mark=os.environ.get(MARK) or str(folder),
    )  # fmt: skip
    log = _Log(output)
    try:
        _pass_on(child, words, control)
    finally:
        child.kill()  # And every rank with it.
        log.close()
        with suppress(OSError):
            words.close()
        emit.catch_up()
    return judged(take_endings(folder), log.dead, log.last)


def launcher_arguments(distributed: Distributed, environment: Mapping[str, str]) -> list[str]:
    """Of `mlx.launch`: on this machine over free ports, else what the host file says."""
    if distributed.hostfile is None:
        count = distributed.processes or 1
        return ["--backend", "ring", "-n", str(count), "-p", str(_free_ports(count))]
    carried = [f"{name}={environment[name]}" for name in _CARRIED if name in environment]
    variables = [f"PYTHONPATH={_ROOT}", *carried]
    return [
        "--backend", distributed.backend, "--hostfile", distributed.hostfile,
        "--cwd", str(_ROOT), *(item for each in variables for item in ("--env", each)),
    ]  # fmt: skip


def judged(endings: Mapping[int, RankEnding], dead: Mapping[int, int | None], last: str) -> Ending:
    """How the run ended: as its first rank did, unless another one is the reason.

    `dead` has the exit codes of ranks that failed, in the order of their deaths; None: the
    launcher ended it, because another had failed.
    """
    own = endings.get(0)
    if own is not None and not own.lost:
        return own.ending
    for rank, each in sorted(endings.items()):
        if each.state == "error" and not each.lost:
            return Ending("error", f"Rank {rank} failed: {each.message}", each.hint)
    for rank, code in dead.items():
        if code is not None and rank not in endings:
            return Ending("error", f"Rank {rank} {_death(code)}, so the run ended.", _HINT)
    for rank, each in sorted(endings.items()):
        return Ending("error", f"Rank {rank} lost the others: {each.message}", _HINT)
    remark = f" Its last line: {last}" if last else ""
    return Ending("error", f"MLX's launcher ended without a result of the ranks.{remark}", _HINT)


_HINT = "The end of the log has the details. Continue the session from its last checkpoint."


def _death(code: int) -> str:
    number = -code if code < 0 else code - 128
    with suppress(ValueError):
        return f"was killed ({signal.Signals(number).name})"
    return f"ended with exit code {code}"


class _Log:
    """The output of launcher and ranks: passed on to the run's log, and read for deaths."""

    def __init__(self, output: IO[bytes]) -> None:
        self.dead: dict[int, int | None] = {}
        self.last = ""
        self._output = output
        self._thread = threading.Thread(target=self._read, name="output of ranks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when everything is passed on."""
        self._thread.join(5.0)
        with suppress(OSError):
            self._output.close()

    def _read(self) -> None:
        for raw in self._output:
            line = raw.decode(errors="replace").rstrip()
            if match := _DEAD.search(line):
                self.dead.setdefault(int(match[1]), int(match[2]) if match[2] else None)
            self.last = line or self.last
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _pass_on(child: Child, words: IO[bytes], control: Control) -> None:
    """Tell the first rank what the run is asked, until all have ended."""
    stop: Stop | None = None
    paused = False
    while child.alive():
        if control.stop != stop:
            stop = control.stop
            _say(words, SAVE if stop == "save" else DISCARD)
        if control.paused != paused:
            paused = control.paused
            _say(words, PAUSE if paused else RESUME)
        control.tick()


def _say(words: IO[bytes], word: str) -> None:
    with suppress(OSError):  # The launcher has ended, as the next look tells.
        words.write(word.encode() + b"\n")
        words.flush()


def _environment(distributed: Distributed) -> dict[str, str]:
    """Ours. The ranks of this machine divide the threads that one process would have."""
    env = {**os.environ, "PYTHONPATH": str(_ROOT)}
    if (threads := env.get(_THREADS, "")).isdigit() and distributed.processes:
        env[_THREADS] = str(max(1, int(threads) // distributed.processes))
    return env


def _free_ports(count: int) -> int:
    """The first of as many ports in a row that are free now."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count <= 65536 and all(_is_free(first + more) for more in range(count)):
            return first
    raise RuntimeError(f"No {count} free ports in a row were found on this machine.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
