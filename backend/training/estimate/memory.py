"""How much memory a run will need at its peak: an estimate from sizes, fitted to real runs.

Pure. The peak is that of the allocator (`peak_memory_gb` of the events), and the largest step of
the run makes it:

- weights: the files as they are, or as a quantised copy; adapter and optimizer: what is trained,
  and its state;
- activations: what each block's matrices read and write is kept for the backward pass, with the
  attention scores; with gradient checkpointing only each block's input, and one block at work;
- logits: the model's, and what the loss makes of them, as far as they are held at once: those of
  learned positions, chunk after chunk;
- gradients: only as far as they outgrow the activations, which are gone by then;
- cache: what the allocator holds on to;
- validation: as far as a batch of long validation rows outgrows every step.

The factors were fitted to measured runs (tests/training/estimate/test_memory.py): within 15 %, and
never more than 10 % under. `docs/memory-estimate.md` has runs that were not fitted to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.contract.loss_chunks import chunk_rows
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.optimizer_state import state_copies
from backend.training.estimate.step_memory import Load, Loads, even_loads
from backend.training.quantize.base import quantized_bytes
from backend.training.request.start_request import StartRequest
from backend.training.schemas import MemoryEstimate

GB = 1e9
TIGHT = 0.8  # Of the working set: above it other programs start to be felt.

_BYTES = {"float32": 4, "float64": 8}
_KEPT = 1.4  # Copies of what a block reads and writes that wait for the backward pass.
_AT_WORK = 2.8  # The same for the one block that is recomputed with gradient checkpointing.
_SCORES_AT_WORK = 2.5
_LOGIT_COPIES = 4.2
# The same two where only learned positions go through the head, chunk after chunk. mlx makes room
# for the next chunks while it computes one: all of six were there at once on a CPU. Not measured on
# a GPU.
_CHUNKED_KEPT = 1.33
_CHUNKED_COPIES = 1.9
_CHUNKED_COPIES_16_BIT = 3.0  # Logits of a 16-bit model are there in both widths.
_COPIES_AHEAD = 0.9  # Of the chunks after the first, with gradient checkpointing.
_CHUNKS_AHEAD = 8
_DORA_KEPT = 1.3  # DoRA keeps more of each matrix.
_OVERLAP = 0.15  # Of the smaller of logits and block at work: what is still held beside the other.
_CHUNK_OVERLAP = 0.31  # The same where the logits are those of a chunk; fitted to a few.
_LORA_CASTS = 0.8  # LoRA works in float32: inputs of a 16-bit model are kept again, twice as wide.
_GRADIENTS_HELD = 0.8  # The optimizer frees gradients as it goes.
_CACHE_SHARE = 0.03
_APART = 0.9  # Of a step in two parts: some of one is gone before the other needs most.
_VALIDATION_LOGITS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model that activations depend on. `cache_per_token` counts the numbers that
    generation keeps for each token, over all layers.
    """

    trained_layers: int
    hidden: int
    heads: int
    cache_per_token: int
    vocabulary: int
    per_token: int
    inputs_per_token: int
    weight_bytes: int


def estimate_memory(
    request: StartRequest,
    model: ModelInfo,
    targets: LoraTargets,
    *,
    trainable: int,
    config: Mapping[str, Any],
    loads: Loads | None,
    available: int | None,
    processes: int = 1,
) -> MemoryEstimate | None:
    """None where the model's sizes are not known. Without `loads` (no row was counted), rows are
    taken to fill `max_seq_length`. Of several processes on one machine each needs it all.
    """
    sizes_known = trained_base(request, model, targets, config)
    if sizes_known is None:
        return None
    model, shape = sizes_known
    step_loads = loads or even_loads(request.batch_size, request.max_seq_length)
    steps = (
        training_parts(request, model, shape, trainable=trainable, load=load, chunked=True)
        for load in step_loads.steps
    )
    sizes = max(steps, key=lambda parts: sum(parts.values()))
    if step_loads.validation is not None:
        sizes |= _beyond(sizes, _validation(shape, step_loads.validation))
    return as_estimate({name: size * processes for name, size in sizes.items()}, available)


def trained_base(
    request: StartRequest, model: ModelInfo, targets: LoraTargets, config: Mapping[str, Any]
) -> tuple[ModelInfo, Shape] | None:
    """What is trained on, its quantised copy where one is asked for, and its shape; None where the
    model's sizes are not known.
    """
    if not (model.size_bytes and model.hidden_size and model.vocab_size and targets.keys):
        return None
    shape = shape_of(request, model, targets, config)
    if request.quantize_base and (size := quantized_bytes(model, targets, request.quantize_base)):
        model = model.model_copy(update={"size_bytes": size})
    return model, shape


def as_estimate(sizes: Mapping[str, float], available: int | None) -> MemoryEstimate:
    """Parts in bytes, summed and compared with what a run may use."""
    parts = {name: round(size / GB, 4) for name, size in sizes.items()}
    total = sum(parts.values())
    available_gb = available / GB if available else None
    return MemoryEstimate(
        estimate_gb=round(total, 4),
        parts=parts,
        available_gb=round(available_gb, 2) if available_gb else None,
        verdict=_verdict(total, available_gb),
    )


def training_parts(
    request: StartRequest,
    model: ModelInfo,
    shape: Shape,
    *,
    trainable: int,
    load: Load,
    chunked: bool = False,
) -> dict[str, float]:
    """Bytes while a step of that load is learned from. In `chunked` runs only learned positions
    have logits, in 32 bits, chunk after chunk (`backend/contract/loss_chunks.py`).
    """
    tokens = load.tokens
    width = shape.weight_bytes
    full = request.fine_tune_type == "full"
    trained_bytes = width if full else 4
    gradients = float(trained_bytes * trainable)
    scores = float(load.squares * shape.heads * width)
    passed = float(tokens * shape.per_token * width)
    casts = 0.0 if full or width == 4 else _LORA_CASTS * tokens * shape.inputs_per_token * 4
    logits, overlap, share = _LOGIT_COPIES * tokens * shape.vocabulary * width, _OVERLAP, _KEPT
    if chunked:
        every, chunk = 4.0 * load.scored * shape.vocabulary, _chunk_bytes(shape)
        first = min(every, chunk)
        rest = min(every, _CHUNKS_AHEAD * chunk) - first
        copies = _CHUNKED_COPIES if width == 4 else _CHUNKED_COPIES_16_BIT
        ahead = _COPIES_AHEAD if request.grad_checkpoint else copies
        logits, overlap, share = copies * first + ahead * rest, _CHUNK_OVERLAP, _CHUNKED_KEPT
    if request.fine_tune_type == "dora":
        share *= _DORA_KEPT
    if request.grad_checkpoint:
        at_work = _AT_WORK * passed + _SCORES_AT_WORK * scores + 2 * casts
        activations = float(shape.trained_layers * tokens * shape.hidden * width)
        # One block is recomputed once most of the logits are done with.
        activations += max(0.0, at_work - logits) + overlap * min(at_work, logits)
    else:
        activations = shape.trained_layers * (share * passed + scores + casts)
    if load.parts > 1:
        activations, logits = _APART * activations, _APART * logits
    parts = {
        "weights": float(model.size_bytes or 0),
        "adapter": 0.0 if full else 4.0 * trainable,
        "optimizer": state_copies(request) * gradients,
        "activations": activations,
        "logits": logits,
        "gradients": max(0.0, _GRADIENTS_HELD * gradients - activations - logits),
    }
    if request.grad_accumulation_steps > 1:
        parts["gradients"] += gradients  # The sum so far is kept between steps.
    moving = sum(parts.values()) - parts["weights"]
    return {**parts, "cache": _CACHE_SHARE * moving}


def _validation(shape: Shape, load: Load) -> float:
    """Bytes of a forward pass: the logits with their softmax, and one block at work."""
    width, logits = shape.weight_bytes, load.tokens * shape.vocabulary * shape.weight_bytes
    passed = width * (load.tokens * shape.per_token + load.squares * shape.heads)
    return passed + _VALIDATION_LOGITS * min(logits, _chunk_bytes(shape))


def _chunk_bytes(shape: Shape) -> float:
    return 4.0 * chunk_rows(shape.vocabulary) * shape.vocabulary


def _beyond(sizes: Mapping[str, float], validation: float) -> dict[str, float]:
    passing = sizes["activations"] + sizes["logits"] + sizes["gradients"] + sizes["cache"]
    return {"validation": validation - passing} if validation > passing else {}


def shape_of(
    request: StartRequest, model: ModelInfo, targets: LoraTargets, config: Mapping[str, Any]
) -> Shape:
    text = config.get("text_config")
    places = [config, text if isinstance(text, Mapping) else {}]
    hidden = model.hidden_size or 1
    experts = _first(places, "num_experts_per_tok", "num_experts_per_token") or 1
    layers = max(1, targets.num_layers)
    inputs = outputs = 0
    for key in targets.keys:
        # Of all the copies of an expert, a token passes through a few.
        times = key.modules * min(key.copies, experts)
        inputs += key.inputs * times
        outputs += key.outputs * times
    heads = _first(places, "num_attention_heads", "n_head") or max(1, hidden // 64)
    stored = _first(places, "num_key_value_heads") or heads
    return Shape(
        cache_per_token=2 * layers * stored * (_first(places, "head_dim") or hidden // heads),
        trained_layers=(
            layers if request.lora_num_layers < 1 else min(layers, request.lora_num_layers)
        ),
        hidden=hidden,
        heads=heads,
        vocabulary=model.vocab_size or 1,
        per_token=(inputs + outputs) // layers,
        inputs_per_token=inputs // layers,
        weight_bytes=_BYTES.get(model.dtype or "", 2),
    )


def _first(places: Sequence[Mapping[str, Any]], *names: str) -> int | None:
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, int) and value > 0:
                return value
    return None


def _verdict(total: float, available: float | None) -> Any:
    if available is None:
        return None
    if total > available:
        return "too_large"
    return "tight" if total > TIGHT * available else "ok"
