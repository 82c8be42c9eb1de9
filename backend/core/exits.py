"""Turn a finished process into a sentence a person can act on."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Cause = Literal["stopped", "out_of_memory", "watchdog", "killed", "crashed", "failed", "unknown"]

_LESS_MEMORY = (
    "Use a smaller batch or max sequence length, turn on gradient checkpointing, train fewer "
    "layers, or quantise the base model."
)
_JOB_MEMORY = "Close other programs, or use a smaller or quantised model."
_FEWER_CHECKPOINTS = "Free some space, or save and keep fewer checkpoints."
_SEE_LOG = "The end of the log has the details."

# What the engines and Metal say, as recorded; the first match explains the exit.
_WORDS: tuple[tuple[re.Pattern[str], Cause, str, str], ...] = (
    (
        re.compile(r"Insufficient Memory|kIOGPUCommandBufferCallbackErrorOutOfMemory", re.I),
        "out_of_memory",
        "The graphics processor ran out of memory.",
        _LESS_MEMORY,
    ),
    (
        re.compile(r"Impacting ?Interactivity", re.I),
        "watchdog",
        "macOS ended the run because a single step kept the graphics processor busy for too long.",
        "Use a smaller batch or max sequence length; memory is not the problem.",
    ),
    (
        re.compile(r"\[metal::malloc\] Resource limit", re.I),
        "out_of_memory",
        "Metal ran out of buffers.",
        "Use shorter sequences or a smaller batch, or continue from the last checkpoint.",
    ),
    (
        re.compile(r"MemoryError|std::bad_alloc|Unable to allocate|out of memory", re.I),
        "out_of_memory",
        "The machine ran out of memory.",
        _LESS_MEMORY,
    ),
    (
        re.compile(r"No space left on device"),
        "failed",
        "The disk is full.",
        _FEWER_CHECKPOINTS,
    ),
)
# What helps a run of training, and what a job that has no batches or checkpoints.
_OF_JOBS = {
    _LESS_MEMORY: _JOB_MEMORY,
    "Use a smaller batch or max sequence length; memory is not the problem.": (
        "Use a smaller model; memory is not the problem."
    ),
    "Use shorter sequences or a smaller batch, or continue from the last checkpoint.": _JOB_MEMORY,
    _FEWER_CHECKPOINTS: "Free some space.",
    f"{_SEE_LOG} {_LESS_MEMORY}": f"{_SEE_LOG} {_JOB_MEMORY}",
    f"{_SEE_LOG} Start it again, or continue from its last checkpoint.": f"{_SEE_LOG} Start it "
    "again.",
}
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*")
_FATAL = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})


@dataclass(frozen=True, slots=True)
class Explanation:
    cause: Cause
    message: str
    hint: str | None = None


def explain(code: int | None, tail: Sequence[str] = (), *, stopping: bool = False) -> Explanation:
    """Why a run without a last word is gone. `code` is negative for a signal, None if unknown.

    Says "probably" where it can only be guessed: an out-of-memory kill leaves no trace.
    """
    if stopping:
        return Explanation("stopped", "The run was stopped. The last checkpoint is saved.")
    for pattern, cause, message, hint in _WORDS:
        if any(pattern.search(line) for line in tail[-40:]):
            return Explanation(cause, message, hint)
    if code is None:
        return Explanation(
            "unknown",
            "The run ended without saying why.",
            f"{_SEE_LOG} Start it again, or continue from its last checkpoint.",
        )
    number = -code if code < 0 else code - 128 if code > 128 else None
    if number is not None:
        return _signalled(number)
    if code == 0:
        return Explanation("unknown", "The run ended without reporting a result.", _SEE_LOG)
    raised = next((line for line in reversed(tail) if _RAISED.match(line)), None)
    if raised:
        return Explanation("failed", f"The engine failed: {raised[:500]}", _SEE_LOG)
    return Explanation("failed", f"The engine ended with exit code {code}.", _SEE_LOG)


def explain_job(code: int | None, tail: Sequence[str] = ()) -> Explanation:
    """Why a job that is no training is gone, with what helps one."""
    explanation = explain(code, tail)
    return replace(
        explanation,
        message=explanation.message.replace("The run", "The job"),
        hint=_OF_JOBS.get(explanation.hint, explanation.hint) if explanation.hint else None,
    )


def folder_deleted(folder: Path) -> Explanation:
    """Of a run that could neither go on nor say why, since its own folder was taken away."""
    return Explanation(
        "failed",
        f"The run's folder {folder} was deleted while it ran, so it could not go on.",
        "Start it again. Weights that were saved before are still in the adapter's folder.",
    )


def _signalled(number: int) -> Explanation:
    name = _signal_name(number)
    if number == signal.SIGKILL:
        return Explanation(
            "killed",
            f"The run was killed from outside ({name}), probably because memory ran out.",
            _LESS_MEMORY,
        )
    if number in _FATAL:
        return Explanation(
            "crashed",
            f"The engine crashed ({name}). When memory runs out, it often ends like this.",
            f"{_SEE_LOG} {_LESS_MEMORY}",
        )
    return Explanation(
        "killed", f"The run was ended from outside ({name}).", "Start it again when you are ready."
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
