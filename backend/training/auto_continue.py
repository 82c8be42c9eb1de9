"""Goes on by itself: a run whose process was killed from outside, as often as it asked for.

The continuation is a session of its own, as one that a user starts; it is put before all that
waits, so it is on disk before the slot is free, and a server that dies meanwhile starts it later.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime

from backend.errors import AppError
from backend.jobs.queue import RunQueue, WaitingRun
from backend.jobs.run.saved_states import saved_states
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.store import SessionStore
from backend.training.plan.resume import repeating, resuming

_logger = logging.getLogger(__name__)


class AutoContinue:
    """Called on the event loop's thread with the record of a run that was killed."""

    def __init__(self, queue: RunQueue, store: SessionStore) -> None:
        self._queue = queue
        self._store = store

    async def __call__(self, record: SessionRecord) -> str:
        """Queue its continuation; a sentence for its end. Nothing for a run that asked for none."""
        left = record.config.get("auto_continue")
        if not isinstance(left, int) or isinstance(left, bool):
            return ""
        if left < 1:
            return " It has gone on by itself as often as it may." if _went_on(record) else ""
        try:
            step, run = await asyncio.to_thread(self._continuation, record, left - 1)
            await self._queue.add_first(run)
        except (AppError, OSError) as problem:
            _logger.warning("The run %s does not go on: %s", record.session_id, problem)
            return f" It can’t go on by itself: {problem}"
        place = f"from step {step}" if step else "from the beginning, as nothing was saved yet"
        more = f" After that it may {left - 1} more times." if left > 1 else ""
        return f" It goes on by itself {place}.{more}"

    def _continuation(self, record: SessionRecord, left: int) -> tuple[int, WaitingRun]:
        states = saved_states(self._store.folder(record.session_id))
        fields = {"auto_continue": left, "overwrite": bool(record.config.get("overwrite"))}
        request = resuming(record, **fields) if states else repeating(record, **fields)
        waiting = WaitingRun(
            session_id=str(uuid.uuid4()),
            adapter_name=str(record.config.get("adapter_name")),
            model_name=str(record.config.get("model_path")).rpartition("/")[2],
            method=record.method,
            total_steps=record.metrics.get("total_steps") or 0,
            queued_at=datetime.now(UTC),
            request=request.model_dump(mode="json", exclude_unset=True),
            overwrite=request.overwrite,
        )
        return (states[-1].step if states else 0), waiting


def _went_on(record: SessionRecord) -> bool:
    return record.config.get("resume_from") is not None
