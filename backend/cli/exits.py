"""Exit codes of the command line, as docs/cli.md lists them."""

from __future__ import annotations

OK = 0
FAILED = 1  # The service refused, or what was asked for ended in an error.
USAGE = 2  # argparse's own.
NO_SERVICE = 3
NOT_COMPLETED = 4  # A run or a job was stopped, or interrupted.
INTERRUPTED = 130  # Ctrl-C.
CLOSED_PIPE = 141  # Who read the output has gone: as the shell says it.


def of_state(state: str | None) -> int:
    """The exit code for a run or a job that has ended in `state`."""
    if state == "completed":
        return OK
    return NOT_COMPLETED if state in {"stopped", "interrupted", "cancelled"} else FAILED
