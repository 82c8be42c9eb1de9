"""`python -m backend.engines.process.spare SECONDS MODULE…`: import, wait, become another engine.

Its standard input is a socket to the server (`backend/core/spare.py`). Imports done, it waits for
one line that says which engine to be, with the streams of that engine beside it, and goes on as
`python -m ENGINE …` would have. It ends when the socket does, so a server that dies leaves none
behind, and after SECONDS in which nobody asked.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import socket
import sys
from importlib import import_module

from backend.engines.process.import_cache import cache_imports

_MARK = "DROID_RUN"
_STREAMS = 3


def main() -> int:
    """What the engine that it becomes answers; 0 when it becomes none."""
    idle, *modules = sys.argv[1:]
    cache_imports()
    for name in modules:
        import_module(name)
    # Of its own, since the standard input becomes another.
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as server:
        try:
            words = _become(server, float(idle))
        except OSError:  # Nobody asked in time, or the server has ended.
            return 0
    if words is None:
        return 0
    module, *rest = words
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def _become(server: socket.socket, idle: float) -> list[str] | None:
    """The engine and its words, with folder, environment, mark and streams set; None for nothing.
    Raises OSError.
    """
    server.sendall(b"r")
    server.settimeout(idle)
    line, streams, _, _ = socket.recv_fds(server, 65536, _STREAMS)
    while line and not line.endswith(b"\n"):
        piece = server.recv(65536)
        line = line + piece if piece else b""
    if not line or len(streams) != _STREAMS:
        return None
    request = json.loads(line)
    _set_mark(request["mark"])
    os.environ.update(request["env"])  # The rest it was started with, as Python completed it.
    os.chdir(request["cwd"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    server.sendall(b"t")
    argv: list[str] = request["argv"]
    return argv if server.recv(1) == b"g" else None


def _set_mark(mark: str) -> None:
    """Write it where the system shows the environment that a process was started with: whoever
    looks for the processes of a run reads that. There is room, as it was started with a long one.
    """
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    place = libc.getenv(_MARK.encode())
    room = len(os.environb[_MARK.encode()])
    rest = b"\0_="
    text = os.fsencode(mark) + rest
    if place is None or len(text) > room:
        raise OSError("no room for the mark")
    ctypes.memmove(place, text.ljust(room, b"."), room)


if __name__ == "__main__":
    sys.exit(main())
