"""Why a question is not answered: the memory is taken, or what the worker said against it."""

from __future__ import annotations

from backend.contract.inference_frames import NOT_TOGETHER
from backend.errors import BadContent, EngineFailed, EngineTimeout, WrongState
from backend.inference.worker_process import RequestFailed
from backend.jobs.lifecycle.slot import MemoryHolder

_BAD = frozenset({"bad_model", "bad_adapter", "bad_prompt", "too_long"})
_SHARE = "or ask with during_run to share the memory with it."


class NotTogether(Exception):
    """These targets can't answer in one batch; the text says why."""


def require_memory(run: str | None, job: MemoryHolder | None) -> None:
    """Raise WrongState naming the active run or the job that has the memory."""
    if run is not None:
        raise WrongState(
            f"A run is active ({run}), and the model it trains needs the memory.",
            hint=f"Wait until it has ended, {_SHARE}",
        )
    if job is not None:
        raise job.refusal(f"Wait until it is done, stop it {job.place}, {_SHARE}")


def refusal(failure: RequestFailed) -> Exception:
    """What the worker said as an error of this service, or NotTogether."""
    if failure.code == NOT_TOGETHER:
        return NotTogether(failure.message)
    if failure.code in _BAD:
        return BadContent(failure.message, hint=failure.hint)
    if failure.code == "deadline":
        return EngineTimeout(failure.message, hint=failure.hint)
    return EngineFailed(
        f"The inference worker could not answer: {failure.message}",
        hint=failure.hint or "logs/worker.log has the details.",
    )
