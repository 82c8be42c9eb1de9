"""A job as far as its events tell: a fold with no file, no process and no clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

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

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take one event; one that is not known changes nothing."""
        match event.get("type"):
            case "phase":
                self.state, self.phase = "running", str(event.get("name"))
            case "progress":
                done, total = event.get("done"), event.get("total")
                if isinstance(done, int) and isinstance(total, int) and total > 0:
                    self.share = max(0.0, min(1.0, done / total))
            case "exit":
                self.last_word = _last_word(event)

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


def parse_event(value: Any) -> Mapping[str, Any] | None:
    """An event of a job; None for a line that is none."""
    return value if isinstance(value, dict) else None


def _last_word(event: Mapping[str, Any]) -> LastWord:
    said, hint = event.get("state"), event.get("hint")
    state: Literal["completed", "stopped", "error"] = "error"
    if said == "completed" or said == "stopped":
        state = said
    return LastWord(
        state=state,
        message=str(event.get("message")),
        hint=hint if isinstance(hint, str) else None,
    )
