"""How a run ended, as a sentence: also for the errors of the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_MEMORY_WORDS = ("insufficient memory", "out of memory", "resource limit", "unable to allocate")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `saved`: it was stopped, and saved the adapter as it was asked to."""

    state: Literal["completed", "stopped", "error"]
    message: str
    hint: str | None = None
    saved: bool = False

    @property
    def code(self) -> int:
        return 1 if self.state == "error" else 0


class Unusable(ValueError):
    """The run can't go on with what it was given; the message is a whole sentence for the user."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def explain(error: BaseException) -> Ending:
    """The ending for an exception that nothing else handled."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Unusable):
        return Ending("error", text, error.hint)
    lowered = text.lower()
    if isinstance(error, MemoryError) or any(word in lowered for word in _MEMORY_WORDS):
        return Ending(
            "error",
            f"The machine ran out of memory: {text}",
            "Use a smaller batch or max sequence length, turn on gradient checkpointing, or train "
            "fewer layers.",
        )
    if isinstance(error, OSError) and error.errno == 28:
        return Ending(
            "error",
            f"The disk is full: {text}",
            "Free some space, or save and keep fewer checkpoints.",
        )
    if isinstance(error, FileNotFoundError):
        return Ending("error", f"A file is missing: {text}", "Was the model or the data moved?")
    if isinstance(error, ImportError):
        return Ending(
            "error",
            f"The training engine can't be loaded: {text}",
            "Start the app with ./startmlxnew, which installs missing parts.",
        )
    return Ending(
        "error",
        f"The engine failed with {type(error).__name__}: {text}",
        "The end of the log has the details.",
    )
