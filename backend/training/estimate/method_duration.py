"""How long methods take here, from this machine's own past runs; what was never run is None.

A step takes as long as the answers (or rows) that it learns from, and each of those as long as it
has tokens. Runs are asked only where that holds: the same method on the same model, with the same
updates per rollout and whatever else changes the price of a token. Loading is not counted.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.store import SessionStore
from backend.training.estimate.duration import past_records
from backend.training.request.method import Method
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS

_ASKED = 5  # The newest few: machines and engines change.
_FEW_CUT = 0.1  # With more answers than that cut, nobody knows how long they would have become.
# Settings that change what a token costs, where the method has them.
_SHARED = ("grad_checkpoint", "quantize_base", "fine_tune_type")
_OF_METHODS = ("updates_per_rollout", "klpo_kl_estimator", "klpo_mc_samples")
_FORWARD_SHARE = 1 / 3  # Of a step, where it samples nothing: validation has no backward pass.


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSteps:
    """A run of a method by its steps: `seconds` for each, `answers` (or rows) that it learned from,
    and the `tokens` of each of those on average, of at most `limit`. `cut` says that the limit
    made them shorter. `kind` holds the settings without which another run can't be compared.
    """

    method: str
    fingerprint: str
    seconds: float
    answers: int
    tokens: float | None
    limit: int
    cut: bool
    kind: tuple[Any, ...]


def past_steps(store: SessionStore) -> list[PastSteps]:
    """Newest first. Blocking; damaged records are left out."""
    runs = (_past_run(record) for record in past_records(store))
    return [run for run in runs if run is not None]


def step_seconds(
    past: Sequence[PastSteps], method: Method, settings: Mapping[str, Any], fingerprint: str | None
) -> float | None:
    """Of a training step with such settings (fields of a start request): the median of the newest
    runs that can be compared.
    """
    kind, limit = _kind(method, settings), settings[_limit_of(method)]
    answers = _answers(method, settings)
    times = [
        run.seconds * answers / run.answers * longer
        for run in past
        if (run.method, run.fingerprint, run.kind) == (method.id, fingerprint, kind)
        and (longer := _longer(run, limit)) is not None
    ]
    return statistics.median(times[:_ASKED]) if times else None


def seconds_for(
    past: Sequence[PastSteps],
    request: EnhancedStart,
    fingerprint: str | None,
    iterations: int,
    *,
    valid_rows: int | None,
) -> float | None:
    """Of a whole run, with its validations; None too where their size is not known.

    A batch of a validation is taken to need what a step does where answers are sampled, else the
    share of a forward pass.
    """
    method, settings = request.method, request.model_dump()
    step = step_seconds(past, method, settings, fingerprint)
    batches = _validation_batches(request, valid_rows)
    if step is None or batches is None:
        return None
    evaluations = 1 + -(-iterations // request.steps_per_eval)
    share = 1.0 if method.generates else _FORWARD_SHARE
    return step * (iterations + evaluations * batches * share)


def relative_cost(
    past: Sequence[PastSteps], request: EnhancedStart, fingerprint: str | None
) -> float | None:
    """How many times the seconds of a step of fine-tuning with the same settings."""
    settings = request.model_dump()
    this = step_seconds(past, request.method, settings, fingerprint)
    plain = step_seconds(past, METHODS["sft"], settings, fingerprint)
    return round(this / plain, 2) if this and plain else None


def _answers(method: Method, settings: Mapping[str, Any]) -> int:
    return method.answers(settings["batch_size"], settings.get("group_size", 1))


def _longer(run: PastSteps, limit: int) -> float | None:
    """How many times as many tokens an answer has under another limit; None: nobody knows."""
    if limit == run.limit:
        return 1.0
    if run.tokens is None or (run.cut and limit > run.limit):
        return None
    return min(run.tokens, limit) / run.tokens


def _validation_batches(request: EnhancedStart, rows: int | None) -> float | None:
    batches = None if rows is None else rows / request.batch_size
    if request.val_batches < 0:
        return batches
    return request.val_batches if batches is None else min(batches, request.val_batches)


def _limit_of(method: Method) -> str:
    return "max_completion_length" if method.generates else "max_seq_length"


def _kind(method: Method, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    names = (*_SHARED, *(name for name in _OF_METHODS if name in method.params))
    kind = [settings.get(name) for name in names]
    if method.train_mode == "grpo":  # Without a KL penalty no reference is asked.
        kind.append(settings.get("beta") == 0)
    if method.family == "online":  # Judged by functions, or by a model.
        kind.append(bool(settings.get("reward_functions")))
    return tuple(kind)


def _past_run(record: SessionRecord) -> PastSteps | None:
    method, settings, metrics = METHODS.get(record.method), record.config, record.metrics
    if method is None or record.model is None or record.model.fingerprint is None:
        return None
    needed = ["batch_size", _limit_of(method)]
    needed += [name for name in ("group_size",) if name in method.params]
    speed = _positive(metrics.get("iterations_per_second"))
    if speed is None or not all(_positive(settings.get(name)) for name in needed):
        return None
    answers, limit = _answers(method, settings), settings[_limit_of(method)]
    if method.generates:
        tokens = _positive(metrics.get("completion_length_mean"))
        cut = metrics.get("hit_max_tokens_ratio")
        was_cut = not isinstance(cut, int | float) or cut > _FEW_CUT
    else:
        tokens = _tokens_of_a_row(metrics, answers)
        was_cut = tokens is None or tokens > limit / 2
    return PastSteps(
        method=method.id,
        fingerprint=record.model.fingerprint,
        seconds=1 / speed,
        answers=answers,
        tokens=tokens,
        limit=limit,
        cut=was_cut,
        kind=_kind(method, settings),
    )


def _tokens_of_a_row(metrics: Mapping[str, Any], rows: int) -> float | None:
    trained, steps = (_positive(metrics.get(n)) for n in ("trained_tokens", "current_step"))
    return trained / (steps * rows) if trained and steps else None


def _positive(value: Any) -> float | None:
    return value if isinstance(value, int | float) and value > 0 else None
