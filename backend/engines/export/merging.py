"""A base with an adapter merged into it: exact, de-quantised and lazy.

Nothing is computed here: every tensor is a graph over the files of the base, so whoever writes them
holds one at a time. A merged matrix is computed in float32 and rounded once, to the base's type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_unflatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear
from mlx_lm.tuner.dora import DoRAEmbedding, DoRALinear
from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear, LoRASwitchLinear
from mlx_lm.utils import dequantize_model

from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import adapted, attach, overwrite
from backend.engines.process.endings import Unusable
from backend.engines.weights.base import load_network

_DORA = (DoRALinear, DoRAEmbedding)
_QUANTISED = (nn.QuantizedLinear, nn.QuantizedEmbedding, QuantizedSwitchLinear)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`model` holds lazy tensors without quantisation. `changes` are the merged modules with the
    change of each, lazy and float32; null where it is no sum (DoRA, full fine-tune).
    """

    model: nn.Module
    config: dict[str, Any]
    changes: Mapping[str, mx.array | None]
    base_bits: int | None


def merged_model(model: Path, adapter: Mapping[str, Any] | None) -> Merged:
    """Load the base lazily and merge the adapter of this spec into it.

    Raises Refused for an adapter that does not fit, Unusable for one that can't be merged exactly.
    """
    network, config = load_network(model, lazy=True)
    bits = _bits(config)
    changes: dict[str, mx.array | None] = {}
    if adapter is not None:
        loaded = load_adapter(dict(adapter))
        if loaded.kind == "full":
            overwrite(network, loaded)
            changes = dict.fromkeys(sorted({name.rpartition(".")[0] for name in loaded.weights}))
        else:
            attach(network, loaded)
            changes = _merge(network)
    network = dequantize_model(network)
    left = [name for name, module in network.named_modules() if hasattr(module, "scales")]
    if left:
        raise Unusable(
            f"{left[0]} is quantised in a way that the engine can't undo.",
            "Export an adapter of the unquantised base.",
        )
    return Merged(model=network, config=config, changes=changes, base_bits=bits)


def _bits(config: Mapping[str, Any]) -> int | None:
    quantization = config.get("quantization")
    bits = quantization.get("bits") if isinstance(quantization, Mapping) else None
    return bits if isinstance(bits, int) else None


def _merge(network: nn.Module) -> dict[str, mx.array | None]:
    whole: list[tuple[str, nn.Module]] = []
    changes: dict[str, mx.array | None] = {}
    for name, module in adapted(network):
        merged, changes[name] = _merged_module(name, module)
        whole.append((name, merged))
    network.update_modules(tree_unflatten(whole))
    return changes


def _merged_module(name: str, module: nn.Module) -> tuple[nn.Module, mx.array | None]:
    """The module without its adapter, and the change."""
    if type(module) not in (LoRALinear, LoRAEmbedding, LoRASwitchLinear, *_DORA):
        return _merged_by_itself(name, module), None
    inner = module["embedding"] if "embedding" in module else module["linear"]
    weight = _float_weight(inner)
    wide = weight.astype(mx.float32)
    change = _change(module)
    if isinstance(module, _DORA):
        wide = wide + change
        rows = module.m.astype(mx.float32) / mx.linalg.norm(wide, axis=1)
        return _plain(inner, (rows[:, None] * wide).astype(weight.dtype)), None
    return _plain(inner, (wide + change).astype(weight.dtype)), change


def _merged_by_itself(name: str, module: Any) -> nn.Module:
    """A module that brings its own adapters and, it may be, its own way to merge them."""
    if not hasattr(module, "fuse"):
        raise Unusable(
            f"{name} is a {type(module).__name__}, which the engine can't merge into its base.",
            "Export the adapter itself, or train one without this matrix.",
        )
    return cast("nn.Module", module.fuse(dequantize=True))


def _change(module: Any) -> mx.array:
    """scale · B · A in float32, in the orientation of the weight."""
    a, b = module.lora_a.astype(mx.float32), module.lora_b.astype(mx.float32)
    if isinstance(module, LoRASwitchLinear):
        experts, outputs = b.shape[:2]
        product = b @ a.reshape(experts, -1, a.shape[-1])
        return cast("mx.array", module.scale * product.reshape(experts, outputs, -1))
    product = a @ b if isinstance(module, LoRAEmbedding | DoRAEmbedding) else b.T @ a.T
    return cast("mx.array", module.scale * product)


def _float_weight(module: Any) -> mx.array:
    if not isinstance(module, _QUANTISED):
        return cast("mx.array", module.weight)
    return dequantised(module)


def dequantised(module: Any) -> mx.array:
    """The matrix that the packed weights of a quantised module stand for."""
    return mx.dequantize(
        module.weight,
        module.scales,
        module.biases,
        group_size=module.group_size,
        bits=module.bits,
        mode=module.mode,
    )


def _plain(inner: Any, weight: mx.array) -> nn.Module:
    """An unquantised module of the same kind with this weight."""
    if weight.ndim == 3:
        experts, outputs, inputs = weight.shape
        module: Any = SwitchLinear(inputs, outputs, experts, bias="bias" in inner)
    elif isinstance(inner, nn.Embedding | nn.QuantizedEmbedding):
        module = nn.Embedding(1, 1)
    else:
        module = nn.Linear(1, 1, bias="bias" in inner)
    module.weight = weight
    if "bias" in inner:
        module.bias = inner.bias
    return cast("nn.Module", module)
