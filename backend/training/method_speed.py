"""How long methods take here, from this machine's own past runs; what was never run is None."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.errors import AppError
from backend.runs.schemas import SessionRecord
from backend.runs.store import SessionStore
from backend.training.duration import CONSIDERED
from backend.training.enhanced_config import EnhancedStart
from backend.training.method import Method
from backend.training.methods import METHODS

_ASKED = 5  # The newest few: machines and engines change.


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSteps:
    """A run of a method: seconds from its start to its end, validation and saving included, for
    each answer that it learned from (or row, where it sampled none).
    """

    method: str
    fingerprint: str | None
    seconds_per_answer: float


def past_steps(store: SessionStore) -> list[PastSteps]:
    """Newest first. Blocking; damaged records are left out."""
    return list(_past_steps(store))


def seconds_for(
    past: Sequence[PastSteps], request: EnhancedStart, fingerprint: str | None, iterations: int
) -> float | None:
    """From runs of the same method on the same model: their median, by the number of answers."""
    known = _of(past, request.training_method, fingerprint)
    if not known:
        return None
    return statistics.median(known) * answers_per_step(request.method, request) * iterations


def relative_cost(
    past: Sequence[PastSteps], method: Method, fingerprint: str | None
) -> float | None:
    """How many times the seconds of fine-tuning on a row an answer took, on the same model."""
    this, plain = _of(past, method.id, fingerprint), _of(past, "sft", fingerprint)
    if not this or not plain:
        return None
    return round(statistics.median(this) / statistics.median(plain), 2)


def answers_per_step(method: Method, settings: Any) -> int:
    """What a step learns from; `settings` has the fields of a start request."""
    if method.family == "online":
        return 2 * int(settings.batch_size)
    if "group_size" in method.params:
        return int(settings.batch_size) * int(settings.group_size)
    return int(settings.batch_size)


def _of(past: Sequence[PastSteps], method: str, fingerprint: str | None) -> list[float]:
    return [
        run.seconds_per_answer
        for run in past
        if fingerprint is not None and run.method == method and run.fingerprint == fingerprint
    ][:_ASKED]


def _past_steps(store: SessionStore) -> Iterator[PastSteps]:
    for row in store.summaries()[:CONSIDERED]:
        if row.problem is not None or row.legacy:
            continue
        try:
            run = _past_run(store.record(row.session_id))
        except AppError:  # Deleted or damaged since it was listed.
            continue
        if run is not None:
            yield run


@dataclass(frozen=True, slots=True)
class _Settings:
    batch_size: int
    group_size: int


def _past_run(record: SessionRecord) -> PastSteps | None:
    method = METHODS.get(record.method)
    steps = record.metrics.get("current_step")
    seconds = record.metrics.get("elapsed_seconds")
    batch, group = record.config.get("batch_size"), record.config.get("group_size", 1)
    numbers = (steps, seconds, batch, group)
    if method is None or not all(isinstance(n, int | float) and n > 0 for n in numbers):
        return None
    answers = steps * answers_per_step(method, _Settings(batch, group))  # type: ignore[operator, arg-type]
    return PastSteps(
        method=record.method,
        fingerprint=record.model.fingerprint if record.model else None,
        seconds_per_answer=seconds / answers,  # type: ignore[operator]
    )
