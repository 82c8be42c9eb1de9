"""A short child that is run to its end from ordinary, blocking code: a question to a program."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backend.core.process import CompletedChild, run_child

_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG")


def run_errand(argv: Sequence[str], *, deadline: float = 60) -> CompletedChild:
    """Run it without the server's secrets; also when called on the event loop's own thread.

    Raises EngineMissing when it can't be started and EngineTimeout when it takes too long.
    """
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    job = run_child(argv, cwd=Path("/"), env=env, deadline=deadline)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, job).result()
