"""What goes between the server and the inference worker: one JSON object per line, each way.

A request is `{"id", "op", …}`; its answers are frames with the same id, of which the last is `done`
or `error`. The frames go out on a descriptor of their own, so that nothing a library prints can
get between them.
"""

from __future__ import annotations

import json
import math
import os
import queue
import threading
from collections.abc import Iterable
from typing import IO, Any, Final

from backend.contract.inference_frames import WorkerStatus
from backend.contract.record import write_record

Request = dict[str, Any]

CANCEL: Final = "cancel"
MAX_LINE = 8 * 1024 * 1024  # A request is a prompt and a few numbers; the server allows 1 MB.


class QuestionRefused(Exception):
    """A request that can't be met, with a code the server turns into a status, and a sentence."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Cancelled(Exception):
    """Nobody waits for this answer any more."""


class Frames:
    """Writes frames, each in one go; used from the one thread that works."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def send(
        self, number: int, kind: str, record: object = None, *, status: WorkerStatus | None = None
    ) -> None:
        """Write a record of `contract/inference_frames.py`; the last one with the status."""
        frame: dict[str, Any] = {"id": number, "type": kind}
        if record is not None:
            frame |= write_record(record)
        if status is not None:
            frame["status"] = write_record(status)
        line = json.dumps(_clean(frame), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        view = memoryview(line.encode("ascii") + b"\n")
        while view:
            view = view[os.write(self._handle, view) :]


class Inbox:
    """Requests in order, and which of them have been taken back."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()
        self.closed = False

    def read_all(self, lines: Iterable[bytes]) -> None:
        """Take requests until the other side is gone; a cancel is heard at once."""
        try:
            for line in lines:
                self._take(line)
        finally:
            self.closed = True
            self._waiting.put(None)

    def next(self) -> Request | None:
        """The next request; None when there will be no more."""
        return self._waiting.get()

    def is_cancelled(self, number: int) -> bool:
        if self.closed:
            return True
        with self._lock:
            return number in self._cancelled

    def forget(self, number: int) -> None:
        with self._lock:
            self._cancelled.discard(number)

    def _take(self, line: bytes) -> None:
        try:
            request = json.loads(line)
        except ValueError:
            return
        if not isinstance(request, dict) or not isinstance(request.get("id"), int):
            return
        if request.get("op") == CANCEL:
            with self._lock:
                self._cancelled.add(request["id"])
        else:
            self._waiting.put(request)


def lines_of(stream: IO[bytes]) -> Iterable[bytes]:
    """Lines of at most MAX_LINE bytes; what is longer ends the conversation."""
    while line := stream.readline(MAX_LINE):
        if not line.endswith(b"\n"):
            return
        yield line


def _clean(value: Any) -> Any:
    """Without NaN and infinities, which are not JSON."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value
