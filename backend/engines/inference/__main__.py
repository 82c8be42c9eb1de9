"""`python -m backend.engines.inference`: answers questions with one resident base model.

Requests come as JSON lines on stdin, frames go out as JSON lines on what was stdout
(`contract/inference_frames.py`).
The main thread owns MLX, whose arrays belong to the thread that made them; a second one only reads,
so that a cancel is heard while an answer is made. When stdin ends, so does the worker: a server
that dies leaves none behind.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING

from backend.contract.inference_frames import Refusal
from backend.engines.inference.protocol import Cancelled, Frames, Inbox, Refused, Request, lines_of
from backend.engines.process.import_cache import cache_imports

if TYPE_CHECKING:
    from backend.engines.inference.operations import Work

_LAST_GRACE = 5.0  # Seconds in which the work may end by itself once nobody listens any more.


def main() -> int:
    """Serve until stdin ends; 0."""
    frames = Frames(_private_output())
    inbox = Inbox()
    threading.Thread(target=_listen, args=(inbox,), name="requests", daemon=True).start()
    cache_imports()
    from backend.engines.inference.operations import (
        Work,  # A second of imports, off the reader's way.
    )

    work = Work(frames, inbox)
    frames.send(0, "ready")
    try:
        while (request := inbox.next()) is not None:
            _serve(work, frames, inbox, request)
    except BrokenPipeError:  # The server is gone.
        pass
    return 0


def _serve(work: Work, frames: Frames, inbox: Inbox, request: Request) -> None:
    number = request["id"]
    refusal = _refusal_of(work, inbox, request)
    inbox.forget(number)
    work.tidy()
    if refusal is not None:
        answer = Refusal(code=refusal.code, message=refusal.message, hint=refusal.hint)
        frames.send(number, "error", answer, status=work.status())


def _refusal_of(work: Work, inbox: Inbox, request: Request) -> Refused | None:
    """Do what is asked; answers why it could not be."""
    try:
        if inbox.is_cancelled(request["id"]):
            raise Cancelled
        work.do(request)
    except Cancelled:
        return Refused("cancelled", "The answer was taken back.")
    except Refused as refusal:
        return refusal
    except BrokenPipeError:
        raise
    except Exception as problem:  # noqa: BLE001 - the top: the next request must be served
        traceback.print_exc()
        text = " ".join(str(problem).split())[:500]
        return Refused("failed", f"{type(problem).__name__}: {text}")
    return None


def _private_output() -> int:
    """Keep the pipe for frames; whatever is printed goes to the log instead."""
    handle = os.dup(sys.stdout.fileno())
    os.set_inheritable(handle, False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return handle


def _listen(inbox: Inbox) -> None:
    inbox.read_all(lines_of(sys.stdin.buffer))
    time.sleep(_LAST_GRACE)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
