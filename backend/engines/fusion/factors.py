"""Adapter tensors as low-rank changes by module, and back into the engine's own layout.

mlx_lm keeps a linear layer's factors as A (in, rank) and B (rank, out), an embedding's as A (rows,
rank) and B (rank, width), and those of a mixture's experts as A (experts, rank, in) and B (experts,
out, rank). The product is taken in each one's own orientation; the sum of products is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import mlx.core as mx
import numpy as np

from backend.engines.fusion.low_rank import Array, LowRank
from backend.engines.inference.adapter_swap import Adapter
from backend.engines.process.endings import Unusable

_A, _B, _M = ".lora_a", ".lora_b", ".m"


def read_changes(adapter: Adapter) -> dict[str, LowRank]:
    """The change of every module that the adapter has factors for, its scale included.

    Raises Unusable, naming the adapter and the reason, for what is no low-rank change: DoRA, a full
    fine-tune, or modules with several pairs of factors.
    """
    if adapter.kind == "full":
        raise Unusable(
            f"{adapter.name} is a full fine-tune: it has whole weights, not low-rank changes.",
            "Fuse LoRA adapters, or export the full fine-tune alone.",
        )
    if magnitudes := [name for name in adapter.weights if name.endswith(_M)]:
        raise Unusable(
            f"{adapter.name} is a DoRA adapter: it rescales every matrix ({magnitudes[0]}), which "
            "can't be added to the change of another.",
            "Fuse LoRA adapters, or export the DoRA adapter alone.",
        )
    changes: dict[str, LowRank] = {}
    for name, value in adapter.weights.items():
        if not name.endswith(_A):
            continue
        module = name.removesuffix(_A)
        if module + _B not in adapter.weights:
            raise Unusable(f"{adapter.name} has {name} without {module}{_B}; it is damaged.")
        changes[module] = _change(
            value, adapter.weights[module + _B], adapter.scales.get(module, adapter.scale)
        )
    if not changes:
        raise Unusable(
            f"{adapter.name} has no plain pairs of LoRA factors, so there is no change to merge.",
            "Choose another adapter.",
        )
    return changes


def adapter_weights(changes: Mapping[str, LowRank]) -> dict[str, mx.array]:
    """The tensors of an adapter with scale 1 and one rank throughout, as mlx_lm loads it.

    Factors of a smaller rank are filled with zeros.
    """
    rank = max(change.rank for change in changes.values())
    weights: dict[str, mx.array] = {}
    for module, change in changes.items():
        even = change.padded(rank)
        stacked = even.left.ndim == 3
        weights[module + _A] = _tensor(even.right if stacked else even.left)
        weights[module + _B] = _tensor(even.left if stacked else even.right)
    return weights


def _change(a: mx.array, b: mx.array, scale: float) -> LowRank:
    left, right = (b, a) if a.ndim == 3 else (a, b)
    return LowRank(_array(left), scale * _array(right))


def _array(value: mx.array) -> Array:
    return cast("Array", np.array(value.astype(mx.float32), np.float64))


def _tensor(value: Array) -> mx.array:
    return mx.array(value.astype(np.float32))
