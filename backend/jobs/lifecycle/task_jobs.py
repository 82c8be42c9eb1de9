"""Jobs that the server itself looks after: what they have in common, whatever they do.

A download counts the bytes that arrive and starts its process again; an examination of a file asks
several children in turn. Each is a task here with the life of `engine_jobs.py`: started, told of,
cancelled, and ended with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from backend.core.disk.disk_errors import disk_refusal
from backend.errors import AppError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended in `error`, as a sentence, and what to do about it."""

    message: str
    hint: str | None = None


def failure_of(problem: Exception, name: str, root: Path) -> Failure:
    """The failure that an exception means; a bug is logged, and not explained to the user.

    `root` is the folder whose disk the job writes to.
    """
    match problem:
        case AppError():
            return Failure(problem.detail, problem.hint)
        case OSError():
            full = disk_refusal(problem, root)
            if full is not None:
                return Failure(full.detail, full.hint)
            return Failure(f"A file could not be read or written: {problem}.")
    _logger.error("%s failed.", name, exc_info=problem)
    return Failure("Something went wrong inside the server; its log says more.")


class JobTasks:
    """The tasks of one kind of job, by id. Event loop only."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, job_id: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self._kind} {job_id}")
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._forget(job_id, task))
        return task

    async def cancel(self, job_id: str) -> None:
        """Cancel it and wait until it is gone; nothing if it has ended."""
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        for job_id in list(self._tasks):
            await self.cancel(job_id)

    async def settled(self) -> None:
        """Wait until all have ended."""
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(job_id) is task:
            del self._tasks[job_id]
