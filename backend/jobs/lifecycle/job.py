"""A job as far as its events tell: a fold with no file, no process and no clock of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from backend.contract.run.events import Exit, Phase, Progress, RunEvent
from backend.core.process import Child
from backend.jobs.lifecycle.folder import JobFolder

JobState = Literal["starting", "running", "completed", "stopped", "error", "interrupted"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """How a job ended, as it says itself, or as its exit code and its log tell."""

    state: Literal["completed", "stopped", "error"]
    message: str
    hint: str | None = None


@dataclass(slots=True, eq=False)
class Job(Generic[R]):
    """One job. `title` names what it works on, for sentences ("tall"); `share` is from 0 to 1."""

    folder: JobFolder
    title: str
    request: R
    started: datetime
    state: JobState = "starting"
    phase: str = "starting"
    share: float = 0.0
    message: str | None = None
    error: str | None = None
    hint: str | None = None
    child: Child | None = None
    stopping: bool = False
    last_word: LastWord | None = None  # Until its process has ended too.
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> bool:
        return self.state in ("starting", "running")

    def apply(self, event: RunEvent) -> None:
        """Take one event; one that is no job's changes nothing."""
        match event:
            case Phase():
                self.state, self.phase = "running", event.name
            case Progress(total=total) if total > 0:
                self.share = max(0.0, min(1.0, event.done / total))
            case Exit():
                self.last_word = LastWord(state=event.state, message=event.message, hint=event.hint)

    def end(self) -> None:
        """Take over how it ended, if that is known; from here on it has ended for everybody."""
        word = self.last_word
        if word is not None and self.running:
            self.state, self.message = word.state, word.message
            if self.state == "completed":
                self.phase, self.share = "done", 1.0
            elif self.state == "error":
                self.error, self.hint = word.message, word.hint
        if not self.running:
            self.ended.set()

    def interrupt(self, noun: str) -> None:
        """End one whose process is gone and left no word."""
        self.state = "interrupted"
        self.error = f"The {noun}'s process ended without a word, as when a machine is restarted."
        self.ended.set()
