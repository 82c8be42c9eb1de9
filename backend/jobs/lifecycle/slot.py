"""The one slot for a run, and whether another job has the memory that a run would need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend.core.news import News
from backend.core.process import Child
from backend.errors import JobActive, RunAlreadyActive


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHolder:
    """A job that a run has to wait for. `subject` begins a sentence: "An evaluation of tall"."""

    kind: str
    subject: str
    reason: str  # Why nothing else may start: "its model needs the memory".
    place: str  # Where in the page it is stopped: "under Evaluation".
    error: type[JobActive] = JobActive

    def refusal(self, hint: str) -> JobActive:
        return self.error(f"{self.subject} is running, and {self.reason}.", hint=hint)


class Slot:
    """Taken from before the first file of a run until after the last. Event loop only.

    Each of `holders` answers the job of its kind that has the memory now, or None; whoever changes
    the answer tells `news`.
    """

    def __init__(self) -> None:
        self.session: str | None = None
        self.run: str | None = None  # What people call that run: the name of its adapter.
        self.child: Child | None = None  # The run's process, while it lives.
        self.holders: list[Callable[[], MemoryHolder | None]] = []
        self.news = News()

    @property
    def holder(self) -> MemoryHolder | None:
        """The job that has the memory now, if one has."""
        return next((job for holder in self.holders if (job := holder()) is not None), None)

    @property
    def free(self) -> bool:
        """Whether a run may start now."""
        return self.session is None and self.holder is None

    def require_no_run(self) -> None:
        """Raise RunAlreadyActive, naming the run, if there is one."""
        if self.session is not None:
            raise RunAlreadyActive(
                f"A run is already active: {self.run}.",
                hint="Stop it first, or wait until it has ended.",
            )

    def require_free(self) -> None:
        """Raise RunAlreadyActive or JobActive, naming it, unless a run may start now."""
        self.require_no_run()
        if (job := self.holder) is not None:
            raise job.refusal(
                f"Stop it {job.place}, or add this run to the queue: it starts when the "
                f"{job.kind} has ended."
            )

    async def until_free(self) -> None:
        await self.news.until(lambda: self.free)

    def take(self, session_id: str, child: Child | None = None, *, name: str | None = None) -> None:
        self.session, self.child = session_id, child
        self.run = name or f"session {session_id}"

    def leave(self) -> None:
        self.session = self.run = self.child = None
        self.news.tell()
