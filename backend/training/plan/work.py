"""The work of a plan in tokens, from which its duration is estimated."""

from __future__ import annotations

import statistics
from typing import Any

from backend.training.estimate.duration import Work
from backend.training.plan.planner import Plan
from backend.training.run_data.token_counts import TokenCounts


def work_of(plan: Plan[Any], counts: TokenCounts) -> Work:
    """The tokens of a plan; validation rows are taken to be as long as the training rows."""
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
