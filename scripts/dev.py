"""`npm run dev`: both sides with hot reload. Vite serves the page and passes requests on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType

from scripts.setup.stamps import CHECKOUT

_PORT = "8000"
_TICK = 0.2


class _Ended(Exception):
    """Ctrl-C, or a signal of the same meaning."""


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    port = os.environ.get("DROID_PORT", _PORT)
    commands = (
        [sys.executable, "-m", "backend", "--reload", "--port", port],
        ["npm", "run", "dev", "--workspace", "frontend"],
    )
    env = {**os.environ, "DROID_BACKEND": f"http://127.0.0.1:{port}"}
    parts: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            parts.append(
                subprocess.Popen(
                    command,
                    cwd=CHECKOUT,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        while all(part.poll() is None for part in parts):
            time.sleep(_TICK)
        return 1
    except _Ended:
        return 0
    finally:
        for part in parts:
            _stop(part)


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended


def _stop(part: subprocess.Popen[bytes]) -> None:
    """The session started here, as a whole: npm does not pass signals on to what it runs."""
    try:
        os.killpg(part.pid, signal.SIGTERM)
        part.wait(10)
    except ProcessLookupError:
        part.wait()
    except subprocess.TimeoutExpired:
        os.killpg(part.pid, signal.SIGKILL)
        part.wait()


if __name__ == "__main__":
    sys.exit(main())
