"""A DROID_PYTHON whose engine children begin with everything imported: a fork of one warm process.

The corpus asks many small questions, and each child would spend seconds of its own on imports.
`python -m tests.field.warm SOCKET` is the warm process; the executable that `warm_python` writes
hands it the child's arguments, folder, environment and three streams, and ends as the child does.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import select
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = (
    "backend.engines.tokens",
    "backend.engines.modules",
    "backend.engines.tokens.method_counts",
    "backend.engines.rewards",
)
_CLIENT = """
import json, os, socket, sys
asked = json.dumps({"argv": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}).encode()
with socket.socket(socket.AF_UNIX) as warm:
    warm.connect(sys.argv[1])
    socket.send_fds(warm, [len(asked).to_bytes(4)], [0, 1, 2])
    warm.sendall(asked)
    os._exit(int(warm.recv(8) or b"70"))
"""


@contextmanager
def warm_python(folder: Path) -> Iterator[Path]:
    """The executable; the warm process lives as long as the block."""
    client, executable = folder / "client.py", folder / "warm-python"
    client.write_text(_CLIENT, encoding="utf-8")
    # A short path of its own: that of a socket may have about a hundred letters.
    with tempfile.TemporaryDirectory() as place:
        at = f"{place}/warm"
        words = [sys.executable, "-I", "-S", str(client), at]
        executable.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        executable.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.field.warm", at],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n", "the warm process did not start"
                yield executable
            finally:
                process.terminate()


def serve(at: str) -> None:
    """Fork for every connection, until the standard input ends, as it does with the parent."""
    for name in MODULES:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(at)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            _reap()
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(connection)
            connection.close()


def _reap() -> None:
    """Forget the forks that have ended; waited for, their time counts as that of the tests."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(connection: socket.socket) -> None:
    """In a fork of its own: let the child run in another, and say how it ended."""
    size, streams, _, _ = socket.recv_fds(connection, 4, 3)
    asked = json.loads(_exactly(connection, int.from_bytes(size)))
    child = os.fork()
    if child == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        _run(asked["argv"], asked["cwd"], asked["env"])
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(abs(os.waitstatus_to_exitcode(status))).encode())
    os._exit(0)


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        piece = connection.recv(size - len(read))
        if not piece:
            os._exit(1)
        read += piece
    return read


def _run(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    """As `python -m MODULE …` would, and end."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False)
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    code = 1
    try:
        assert argv[0] == "-m", argv
        sys.argv = [argv[1], *argv[2:]]
        sys.modules.pop(argv[1], None)
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
