"""The one slot for a run, and whether an evaluation has the memory that a run would need."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.news import News
from backend.errors import EvaluationActive, RunAlreadyActive


class Slot:
    """Taken from before the first file of a run until after the last. Event loop only.

    `evaluating` names the adapter that is evaluated now, or None; whoever changes the answer
    tells `news`.
    """

    def __init__(self) -> None:
        self.session: str | None = None
        self.evaluating: Callable[[], str | None] = lambda: None
        self.news = News()

    @property
    def free(self) -> bool:
        """Whether a run may start now."""
        return self.session is None and self.evaluating() is None

    def require_no_run(self) -> None:
        """Raise RunAlreadyActive, naming the run, if there is one."""
        if self.session is not None:
            raise RunAlreadyActive(
                f"A run is already active: session {self.session}.",
                hint="Stop it first, or wait until it has ended.",
            )

    def require_free(self) -> None:
        """Raise RunAlreadyActive or EvaluationActive, naming it, unless a run may start now."""
        self.require_no_run()
        adapter = self.evaluating()
        if adapter is not None:
            raise EvaluationActive(
                f"An evaluation of {adapter} is running, and its model needs the memory.",
                hint="Stop it under Evaluation, or add this run to the queue: it starts when the "
                "evaluation has ended.",
            )

    async def until_free(self) -> None:
        await self.news.until(lambda: self.free)

    def take(self, session_id: str) -> None:
        self.session = session_id

    def leave(self) -> None:
        self.session = None
        self.news.tell()
