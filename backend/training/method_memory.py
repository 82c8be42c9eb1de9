"""How much memory a run of the enhanced tab needs at its peak: fine-tuning's estimate, and what
sampling, references and judges add.

Pure. A step samples first and learns afterwards, so the peak is the larger of the two:

- sampling keeps keys and values of `batch_size` answers at a time, with their prompts;
- learning takes as many rows at once as there are prompts in a batch (policy methods, which score
  the answer's positions only), or both answers of each pair (preferences). The group does not
  multiply it;
- the reference of a LoRA or DoRA run is the base with its adapters off and costs nothing; full
  fine-tuning, a reference of its own and a judge model each are weights once more.

How well it does is measured: docs/memory-estimate.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.catalog.schemas import LoraTargets, ModelInfo
from backend.training.enhanced_config import EnhancedStart
from backend.training.memory import as_estimate, padded, shape_of, training_parts
from backend.training.quantized import quantized_bytes
from backend.training.schemas import MemoryEstimate
from backend.training.token_counts import TokenCounts

_STEP = 256  # The engine's caches grow by so many tokens at once.


def estimate_method_memory(
    request: EnhancedStart,
    model: ModelInfo,
    targets: LoraTargets,
    *,
    trainable: int,
    config: Mapping[str, Any],
    counts: TokenCounts | None,
    available: int | None,
) -> MemoryEstimate | None:
    """None where the model's sizes are not known. Without counted rows, prompts are taken to fill
    `max_seq_length`; answers are taken to fill `max_completion_length`.
    """
    if not (model.size_bytes and model.hidden_size and model.vocab_size and targets.keys):
        return None
    shape = shape_of(request, model, targets, config)
    if request.quantize_base and (size := quantized_bytes(model, targets, request.quantize_base)):
        model = model.model_copy(update={"size_bytes": size})
    method = request.method
    longest = min(request.max_seq_length, counts.longest if counts else request.max_seq_length)
    rows = request.batch_size * (1 if method.family == "policy" else 2)
    length = longest + (request.max_completion_length if method.generates else 0)
    learning = training_parts(
        request, model, shape, trainable=trainable, rows=rows, length=padded(length)
    )
    if method.family == "policy":  # Only the answer's positions are scored.
        learning["logits"] *= padded(request.max_completion_length) / padded(length)
    cache = 0.0
    if method.generates:
        held = -(-length // _STEP) * _STEP
        cache = float(rows_at_once(request) * held * shape.cache_per_token * shape.weight_bytes)
    steady = ("weights", "adapter", "optimizer")
    passing = sum(size for name, size in learning.items() if name not in steady)
    extra = {
        "reference": _weights(model) if needs_reference_copy(request) else 0.0,
        "judge": _weights(model) if has_judge_model(request) else 0.0,
        # Given back before learning begins: only what it needs beyond that counts.
        "answers": max(0.0, cache - passing),
    }
    return as_estimate(
        {**learning, **{name: size for name, size in extra.items() if size}}, available
    )


def rows_at_once(request: EnhancedStart) -> int:
    """Answers that are decoded together: the engine goes by batch_size, not by group_size."""
    return request.batch_size


def needs_reference_copy(request: EnhancedStart) -> bool:
    """Whether a second set of weights is loaded to compare with."""
    method = request.method
    if not method.needs_reference or (method.train_mode == "grpo" and request.beta == 0):
        return False
    return bool(request.reference_model_path) or request.fine_tune_type == "full"


def has_judge_model(request: EnhancedStart) -> bool:
    """A judge is loaded by itself, even where it is the base."""
    return request.method.family == "online" and not request.reward_functions


def _weights(model: ModelInfo) -> float:
    return float(model.size_bytes or 0)
