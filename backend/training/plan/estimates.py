"""What a plan will need: memory at its peak, and seconds. Fine-tuning is reckoned by its rows'
tokens, a method by the steps of past runs of it.
"""

from __future__ import annotations

import statistics

from backend.contract.jobs.machine_benchmark import MachineBenchmark
from backend.jobs.run.store import SessionStore
from backend.training.estimate.duration import Work, estimate_seconds, past_runs
from backend.training.estimate.memory import estimate_memory
from backend.training.estimate.method_duration import past_steps, seconds_for
from backend.training.estimate.method_memory import estimate_method_memory
from backend.training.estimate.step_memory import Loads, loads_of
from backend.training.plan.hosts import ranks_of
from backend.training.plan.planner import Plan
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest
from backend.training.run_data.token_counts import TokenCounts
from backend.training.schemas import MemoryEstimate


def plan_memory(plan: Plan, available: int | None) -> MemoryEstimate | None:
    """What the processes of this machine need, each with its share of the batch. Blocking."""
    request = plan.request
    if isinstance(request, EnhancedStart):
        return estimate_method_memory(
            request,
            plan.model,
            plan.targets,
            trainable=plan.trainable,
            config=plan.model_config,
            counts=plan.counts,
            available=available,
        )
    ranks = ranks_of(request.distributed if isinstance(request, StandardStart) else None)
    share = request.model_copy(update={"batch_size": max(1, request.batch_size // ranks.all)})
    return estimate_memory(
        share,
        plan.model,
        plan.targets,
        trainable=plan.trainable,
        config=plan.model_config,
        loads=_loads(plan, share),
        available=available,
        processes=ranks.here,
    )


def plan_seconds(
    plan: Plan, sessions: SessionStore, benchmark: MachineBenchmark | None
) -> float | None:
    """None where nothing like it was run here. Blocking: past sessions are read."""
    request, counts = plan.request, plan.counts
    if isinstance(request, EnhancedStart):
        return seconds_for(
            past_steps(sessions),
            request,
            plan.fingerprint,
            plan.iterations,
            valid_rows=plan.data.valid_rows,
        )
    alone = not (isinstance(request, StandardStart) and request.distributed)
    if counts is None or not alone:  # The speed of several was not measured yet.
        return None
    return estimate_seconds(past_runs(sessions), _work(plan, counts), benchmark)


def _loads(plan: Plan, request: StartRequest) -> Loads | None:
    """What the run's steps hold at once; None where no row was counted."""
    counts = plan.counts
    if counts is None:
        return None
    limit = request.max_seq_length
    rows = [
        (length, start if request.mask_prompt else 1)
        for length, start in zip(counts.lengths, counts.starts, strict=True)
        if start < limit or not request.mask_prompt
    ]
    return loads_of(
        [length for length, _ in rows],
        batch_size=request.batch_size,
        max_seq_length=limit,
        iterations=plan.iterations,
        seed=request.seed,
        valid=counts.valid if request.val_batches else (),
        starts=[start for _, start in rows],
    )


def _work(plan: Plan, counts: TokenCounts) -> Work:
    """Its tokens; validation rows are taken to be as long as the training rows."""
    request = plan.request
    lengths = [min(length, request.max_seq_length) for length in counts.lengths]
    mean = statistics.fmean(lengths) if lengths else 0.0
    # Before the first step, then every so many, and the last one.
    evaluations = 1 + -(-plan.iterations // request.steps_per_eval)
    rows = plan.data.valid_rows
    if request.val_batches >= 0:
        rows = min(rows, request.val_batches * request.batch_size)
    return Work(
        fingerprint=plan.fingerprint,
        parameters=plan.targets.total_parameters,
        checkpointing=request.grad_checkpoint,
        trained_tokens=plan.iterations / max(1, plan.steps_per_epoch) * sum(lengths),
        validated_tokens=evaluations * rows * mean,
        quantize_base=request.quantize_base,
    )
