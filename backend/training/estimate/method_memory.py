"""How much memory a run of the enhanced tab needs at its peak: fine-tuning's estimate, and what
sampling, references and judges add.

Pure. A step samples first and learns afterwards, so the peak is the larger of the two:

- sampling keeps keys and values of the answers that are decoded together, with their prompts;
- learning takes as many rows at once as there are prompts in a batch (policy methods, which score
  the answer's positions only; the group does not multiply it), or the pairs of a batch;
- the reference of a LoRA or DoRA run is the base with its adapters off and costs nothing; full
  fine-tuning, a reference of its own and a judge model each are weights once more.

How well it does is measured: docs/memory-methods.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.contract.batching import padded_length
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.memory import Shape, as_estimate, trained_base, training_parts
from backend.training.estimate.step_memory import Load
from backend.training.request.method_fields import EnhancedStart
from backend.training.run_data.token_counts import TokenCounts
from backend.training.schemas import MemoryEstimate

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
    sizes_known = trained_base(request, model, targets, config)
    if sizes_known is None:
        return None
    model, shape = sizes_known
    method = request.method
    longest = min(request.max_seq_length, counts.longest if counts else request.max_seq_length)
    length = longest + (request.max_completion_length if method.generates else 0)
    learning = _learning(request, model, shape, trainable=trainable, length=padded_length(length))
    answers = _sampling(request, shape, longest) if method.generates else 0.0
    steady = ("weights", "adapter", "optimizer")
    passing = sum(size for name, size in learning.items() if name not in steady)
    extra = {
        "reference": _weights(model) if needs_reference_copy(request) else 0.0,
        "judge": _weights(model) if has_judge_model(request) else 0.0,
        # Given back before learning begins: only what it needs beyond that counts.
        "answers": max(0.0, answers - passing),
        "draws": _draws(request, shape),
    }
    return as_estimate(
        {**learning, **{name: size for name, size in extra.items() if size}}, available
    )


def _learning(
    request: EnhancedStart, model: ModelInfo, shape: Shape, *, trainable: int, length: int
) -> dict[str, float]:
    family = request.method.family
    contexts = request.method.data_form == "next_token"  # One for each row, with no answers.
    one_side = contexts or family == "policy"
    one_side = one_side or (family == "preference" and request.grad_checkpoint)
    rows = request.batch_size * (1 if one_side else 2)
    load = Load(rows * length, rows * length * length)
    parts = training_parts(request, model, shape, trainable=trainable, load=load)
    if family == "policy":
        # Only the answer's positions are scored, and rows are learned from in several goes, whose
        # gradients are added up.
        parts["logits"] *= padded_length(request.max_completion_length) / length
        width = shape.weight_bytes if request.fine_tune_type == "full" else 4
        parts["gradients"] += trainable * width
    elif one_side and not contexts:
        # Both answers of a pair wait for the backward pass, but one is recomputed at a time.
        waiting = shape.trained_layers * shape.hidden * shape.weight_bytes
        parts["activations"] += request.batch_size * length * waiting
    return parts


def _sampling(request: EnhancedStart, shape: Shape, prompt: int) -> float:
    """Keys and values of the answers that are decoded together, with their prompts; of each prompt
    as it was read, and once more for each of its answers. While others wait their turn, all are
    copied as one takes another's place.
    """
    together = request.decoded_at_once
    answers = request.method.answers(request.batch_size, request.group_size)
    copies = 2 if answers > together else 1
    tokens = (
        copies * together * _round_up(prompt + request.max_completion_length)
        + answers * prompt
        + request.batch_size * _round_up(prompt)
    )
    return float(tokens * shape.cache_per_token * shape.weight_bytes)


def _round_up(length: int) -> int:
    return -(-length // _STEP) * _STEP


def _draws(request: EnhancedStart, shape: Shape) -> float:
    """KLPO's records: by the mc estimate, draws over the whole vocabulary for every token, which
    the engine does not evaluate before the answer is whole.
    """
    if request.method.id != "klpo" or request.klpo_kl_estimator == "binary":
        return 0.0
    times = request.klpo_mc_samples if request.klpo_kl_estimator == "mc" else 1
    tokens = request.batch_size * request.max_completion_length
    return float(tokens * times * shape.vocabulary * 4)


def needs_reference_copy(request: EnhancedStart) -> bool:
    """Whether a second set of weights is loaded to compare with."""
    method = request.method
    unused = (method.train_mode == "grpo" and request.beta == 0) or (
        method.train_mode == "dsla" and request.dsla_loss != "dpo"
    )
    if not method.needs_reference or unused:
        return False
    return bool(request.reference_model_path) or request.fine_tune_type == "full"


def has_judge_model(request: EnhancedStart) -> bool:
    """A judge is loaded by itself, even where it is the base."""
    return request.method.family == "online" and not request.reward_functions


def _weights(model: ModelInfo) -> float:
    return float(model.size_bytes or 0)
