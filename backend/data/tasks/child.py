"""`python -m backend.data.tasks.child`: one long task on a data file, in a process of its own.

Reading gigabytes holds Python's lock for minutes, and the server must answer all the while; a
process can also be ended at any moment, which is how a job is cancelled. Reads `{"task", …}` on
stdin; answers `{"answer": …}` or `{"refused": …}` on stdout. Writes how far it is to `progress`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.data.checks.checked_file import check_file
from backend.data.checks.method_check import check_rows
from backend.data.checks.scan import scan
from backend.data.write.convert import convert_file, convert_files
from backend.data.write.split import split_file
from backend.errors import AppError

_EVERY = 0.2


def main() -> int:
    asked = json.load(sys.stdin)
    try:
        said = {"answer": run(asked).model_dump(mode="json")}
    except AppError as refusal:
        said = {
            "refused": {
                "error": type(refusal).__name__,
                "detail": refusal.detail,
                "hint": refusal.hint,
                "errors": [[each.field, each.message] for each in refusal.errors],
            }
        }
    sys.stdout.write(json.dumps(said))
    return 0


def run(asked: Mapping[str, Any]) -> BaseModel:
    """Do the task; raises AppError. Small files are done by calling this in a thread."""
    task, options = asked["task"], dict(asked["options"])
    for name in ("path", "valid", "sample", "source", "target", "folder"):
        if options.get(name) is not None:
            options[name] = Path(options[name])
    if "sources" in options:
        options["sources"] = [Path(each) for each in options["sources"]]
    if task == "scan":
        return scan(**options, progress=_Reporter(asked.get("progress")))
    if task == "convert":
        return convert_file(**options)
    if task == "gather":
        return convert_files(**options)
    if task == "rows":
        return check_file(**options)
    if task == "check":
        return check_rows(**options)
    return split_file(**options)


class _Reporter:
    """Writes the share that is done, now and then."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._next = 0.0

    def __call__(self, share: float | None) -> None:
        if self._path is None or share is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        with suppress(OSError):  # A full disk costs the share, not the work.
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, f"{share:.4f}".encode(), 0)  # Always six characters.
            finally:
                os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
