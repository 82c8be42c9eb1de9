"""How much memory a run will need at its peak: an estimate from sizes, calibrated by real runs.

Pure. What is counted, with B rows of L tokens at a time:

- weights: the files as they are;
- adapter, gradients, optimizer: float32 per trained weight, and the optimizer's own state;
- activations: per block what its matrices read and write, kept for the backward pass, and the
  attention scores; with gradient checkpointing only each block's input, and one whole block;
- logits: the model's and the loss's, twice for the backward pass;
- cache: what the allocator holds on to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.catalog.schemas import LoraTargets, ModelInfo
from backend.training.config import StandardStart
from backend.training.schemas import MemoryEstimate

GB = 1e9
TIGHT = 0.8  # Of the working set: above it other programs start to be felt.

_BYTES = {"float32": 4, "float64": 8}
_OPTIMIZER_STATES = {"adam": 2, "adamw": 2, "muon": 1, "sgd": 1, "adafactor": 0.05}
# Measured on the demo model on CPU (docs/benchmarks.md); see tests/training/test_memory.py.
_BLOCK_FACTOR = 1.6
_LOGIT_COPIES = 4.0
_CACHE_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model that activations depend on."""

    layers: int
    trained_layers: int
    hidden: int
    heads: int
    vocabulary: int
    per_token: int
    weight_bytes: int


def estimate_memory(
    request: StandardStart,
    model: ModelInfo,
    targets: LoraTargets,
    *,
    trainable: int,
    config: Mapping[str, Any],
    longest: int | None,
    available: int | None,
) -> MemoryEstimate | None:
    """None where the model's sizes are not known. `longest` is the longest row in tokens, if
    counted; otherwise rows are taken to fill `max_seq_length`.
    """
    if not (model.size_bytes and model.hidden_size and model.vocab_size and targets.keys):
        return None
    shape = _shape(request, model, targets, config)
    length = min(request.max_seq_length, _padded(longest or request.max_seq_length))
    parts = {name: round(size / GB, 4) for name, size in _parts(request, model, shape,
        trainable=trainable, length=length).items()}  # fmt: skip
    total = sum(parts.values())
    available_gb = available / GB if available else None
    return MemoryEstimate(
        estimate_gb=round(total, 4),
        parts=parts,
        available_gb=round(available_gb, 2) if available_gb else None,
        verdict=_verdict(total, available_gb),
    )


def _parts(
    request: StandardStart, model: ModelInfo, shape: Shape, *, trainable: int, length: int
) -> dict[str, float]:
    tokens = request.batch_size * length
    width = shape.weight_bytes
    full = request.fine_tune_type == "full"
    trained_bytes = width if full else 4
    states = _OPTIMIZER_STATES[request.optimizer]
    scores = request.batch_size * shape.heads * length * length * width
    block = tokens * shape.per_token * width * _BLOCK_FACTOR + 2 * scores
    if request.grad_checkpoint:
        activations = shape.layers * tokens * shape.hidden * width + block
    else:
        activations = shape.trained_layers * block
    held = 2 if request.grad_accumulation_steps > 1 else 1
    parts = {
        "weights": float(model.size_bytes or 0),
        "adapter": 0.0 if full else 4.0 * trainable,
        "gradients": float(trained_bytes * trainable * held),
        "optimizer": states * trained_bytes * trainable,
        "activations": float(activations),
        "logits": tokens * shape.vocabulary * 4 * _LOGIT_COPIES,
    }
    moving = sum(parts.values()) - parts["weights"]
    return {**parts, "cache": _CACHE_SHARE * moving}


def _shape(
    request: StandardStart, model: ModelInfo, targets: LoraTargets, config: Mapping[str, Any]
) -> Shape:
    text = config.get("text_config")
    heads = config.get("num_attention_heads") or (
        text.get("num_attention_heads") if isinstance(text, Mapping) else None
    )
    hidden = model.hidden_size or 1
    # One expert works on a token where many are stored: copies are not counted.
    per_layer = sum((key.inputs + key.outputs) * key.modules for key in targets.keys)
    layers = max(1, targets.num_layers)
    trained = layers if request.lora_num_layers < 1 else min(layers, request.lora_num_layers)
    return Shape(
        layers=layers,
        trained_layers=trained,
        hidden=hidden,
        heads=heads if isinstance(heads, int) and heads > 0 else max(1, hidden // 64),
        vocabulary=model.vocab_size or 1,
        per_token=per_layer // layers,
        weight_bytes=_BYTES.get(model.dtype or "", 2),
    )


def _padded(length: int) -> int:
    return 1 + 32 * -(-length // 32)


def _verdict(total: float, available: float | None) -> Any:
    if available is None:
        return None
    if total > available:
        return "too_large"
    return "tight" if total > TIGHT * available else "ok"
