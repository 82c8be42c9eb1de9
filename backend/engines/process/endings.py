"""How a run ended, as a sentence: also for the errors of the engine itself."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # The disk, a quota, a limit.
# Of MLX, numpy and tokenizers: errors without an errno.
_SHORT_WRITES = ("[write] unable to write", " requested and ", "no space left on device")
_MEMORY_WORDS = ("insufficient memory", "out of memory", "resource limit", "unable to allocate")
_LESS_MEMORY = (
    "Use a smaller batch or max sequence length, turn on gradient checkpointing, or train fewer "
    "layers."
)


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


def explain(error: BaseException, *, training: bool = True) -> Ending:
    """The ending for an exception that nothing else handled, of a run of training or a job."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Unusable):
        return Ending("error", text, error.hint)
    lowered = text.lower()
    if isinstance(error, MemoryError) or any(word in lowered for word in _MEMORY_WORDS):
        return Ending(
            "error",
            f"The machine ran out of memory: {text}",
            _LESS_MEMORY
            if training
            else "Close other programs, or use a smaller or quantised model.",
        )
    if _is_full(error, lowered):
        return Ending(
            "error",
            f"The disk is full: {text}",
            "Free some space, or save and keep fewer checkpoints, and start it again."
            if training
            else "Free some space and start it again.",
        )
    if isinstance(error, FileNotFoundError):
        what = "the model or the data" if training else "the model or the adapter"
        return Ending("error", f"A file is missing: {text}", f"Was {what} moved?")
    if isinstance(error, ImportError):
        return Ending(
            "error",
            f"The engine can't be loaded: {text}",
            "Start the app with ./startmlxnew, which installs missing parts.",
        )
    return Ending(
        "error",
        f"The engine failed with {type(error).__name__}: {text}",
        "The end of the log has the details.",
    )


def _is_full(error: BaseException, text: str) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in text for words in _SHORT_WRITES)
