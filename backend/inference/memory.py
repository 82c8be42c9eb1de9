"""Whether a question may load a base now: a run or an evaluation has one of its own."""

from __future__ import annotations

from backend.errors import EvaluationActive, WrongState

_SHARE = "or ask with during_run to share the memory with it."


def require_memory(run: str | None, evaluated: str | None) -> None:
    """Raise WrongState naming the active run (a session) or the adapter under evaluation."""
    if run is not None:
        raise WrongState(
            f"A run is active (session {run}), and the model it trains needs the memory.",
            hint=f"Wait until it has ended, {_SHARE}",
        )
    if evaluated is not None:
        raise EvaluationActive(
            f"An evaluation of {evaluated} is running, and its model needs the memory.",
            hint=f"Wait until it is done, stop it under Evaluation, {_SHARE}",
        )
