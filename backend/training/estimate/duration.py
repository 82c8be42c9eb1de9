"""How long a run will take, from how fast this machine's own past runs were; unknown is None.

A training step costs about six operations per weight and token (two forward, four backward), a
validation two, and gradient checkpointing does the two forward ones again.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.contract.jobs.machine_benchmark import MachineBenchmark
from backend.errors import AppError
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.store import SessionStore
from backend.models.fingerprint import same_shape

CONSIDERED = 40  # Newest sessions that are looked at.
_ASKED = 5  # Of those that fit best, the newest few: machines and engines change.
_TRAINING, _RECOMPUTED, _FORWARD = 6, 8, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    fingerprint: str | None
    parameters: int | None
    tokens_per_second: float
    checkpointing: bool
    quantize_base: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run has to do: tokens it trains on, and those it only validates on."""

    fingerprint: str | None
    parameters: int | None
    checkpointing: bool
    trained_tokens: float
    validated_tokens: float
    quantize_base: int | None = None


def estimate_seconds(
    past: Sequence[PastRun], work: Work, benchmark: MachineBenchmark | None = None
) -> float | None:
    """`past` is newest first. Runs of the same model are taken as they are; without one, others
    are scaled by their number of weights. A quantised base has a speed of its own.

    Without any run that fits, what a benchmark of this machine reached in training steps counts.
    """
    past = [run for run in past if run.quantize_base == work.quantize_base]
    same = [run for run in past if same_shape(run.fingerprint, work.fingerprint)]
    alike = [run for run in same if run.checkpointing == work.checkpointing]
    speeds = [_speed(run, work) for run in (alike or same or past)]
    speeds_known = [speed for speed in speeds if speed is not None][:_ASKED]
    if not speeds_known and (measured := _benchmark_speed(benchmark, work)) is not None:
        speeds_known = [measured]
    if not speeds_known:
        return None
    trained_per_second = statistics.median(speeds_known)
    validated_per_second = trained_per_second * _cost(work.checkpointing) / _FORWARD
    return work.trained_tokens / trained_per_second + work.validated_tokens / validated_per_second


def past_runs(store: SessionStore) -> list[PastRun]:
    """The speeds of this machine's sessions, newest first. Blocking; damaged records are left."""
    runs = (_past_run(record) for record in past_records(store))
    return [run for run in runs if run is not None]


def past_records(store: SessionStore) -> Iterator[SessionRecord]:
    """The newest sessions of this app, newest first. Blocking; damaged records are left out."""
    for row in store.summaries()[:CONSIDERED]:
        if row.problem is not None or row.legacy:
            continue
        try:
            yield store.record(row.session_id)
        except AppError:  # Deleted or damaged since it was listed.
            continue


def _past_run(record: SessionRecord) -> PastRun | None:
    speed = record.metrics.get("tokens_per_second")
    if record.method != "sft" or record.config.get("distributed"):
        return None
    if not isinstance(speed, int | float) or speed <= 0:
        return None
    return PastRun(
        fingerprint=record.model.fingerprint if record.model else None,
        parameters=_count(record.metrics.get("total_parameters")),
        tokens_per_second=float(speed),
        checkpointing=bool(record.config.get("grad_checkpoint")),
        quantize_base=_count(record.config.get("quantize_base")),
    )


def _speed(run: PastRun, work: Work) -> float | None:
    speed = run.tokens_per_second * _cost(run.checkpointing) / _cost(work.checkpointing)
    if same_shape(run.fingerprint, work.fingerprint):
        return speed
    if not run.parameters or not work.parameters:
        return None
    return speed * run.parameters / work.parameters


def _benchmark_speed(benchmark: MachineBenchmark | None, work: Work) -> float | None:
    """Tokens per second; None for a quantised base, whose products were not measured."""
    if benchmark is None or not work.parameters or work.quantize_base is not None:
        return None
    return benchmark.training_flops_per_second / (_cost(work.checkpointing) * work.parameters)


def _cost(checkpointing: bool) -> int:
    return _RECOMPUTED if checkpointing else _TRAINING


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
