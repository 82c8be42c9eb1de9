"""Quantise a merged model again, lazily, and measure whether the adapter outlives that."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

import mlx.core as mx
from mlx import nn
from mlx_lm.convert import mixed_quant_predicate_builder
from mlx_lm.utils import quantize_model

from backend.contract.export.request import QuantisationFacts, Recipe
from backend.engines.export.merging import dequantised
from backend.engines.process.endings import Unusable
from backend.engines.trainer.quantize import NotQuantizable, choose_group

_SHOWN = 20


class KeptChange:
    """How much of an adapter's change is left. Each matrix is measured when it is written: later,
    all of them would have to be held.
    """

    def __init__(self, products: Mapping[str, mx.array]) -> None:
        self._products = products

    def compute(self, module: str) -> None:
        if module in self._products:
            mx.eval(self._products[module])

    def share(self) -> float | None:
        """1 when nothing is lost; null when no adapted matrix is quantised."""
        pairs = [cast("list[float]", product.tolist()) for product in self._products.values()]
        total = sum(size for _, size in pairs)
        return sum(left for left, _ in pairs) / total if total > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """`kept` measures the adapted matrices as they are written."""

    model: nn.Module
    config: dict[str, Any]
    facts: QuantisationFacts
    kept: KeptChange


def quantised_model(
    model: nn.Module,
    config: dict[str, Any],
    *,
    bits: int,
    recipe: Recipe,
    changes: Mapping[str, mx.array | None],
) -> Quantised:
    """The model with `bits` per weight, by mlx_lm's own quantiser. Nothing is computed here.

    Raises Unusable where no matrix can be quantised, or the recipe does not fit the model.
    """
    try:
        group = choose_group(model)
        predicate = _predicate(model, recipe, group)
    except (NotQuantizable, ValueError) as problem:
        raise Unusable(
            f"{problem}" if isinstance(problem, NotQuantizable) else
            f"The recipe {recipe} does not fit this model: it has no matrices named down_proj.",
            "Export it as merged, or with the recipe uniform.",
        ) from problem  # fmt: skip
    modules = dict(model.named_modules())
    before = {name: modules[name].weight for name in changes if name in modules}
    widths = _sizes(modules)
    plain = {k: v for k, v in config.items() if k not in ("quantization", "quantization_config")}
    network, quantized_config = quantize_model(
        model, copy.deepcopy(plain), group, bits, quant_predicate=predicate
    )
    after = dict(network.named_modules())
    whole = tuple(sorted(name for name in widths if not hasattr(after[name], "scales")))
    stored = sum(
        value.nbytes for name in widths for value in after[name].parameters().values()
    )  # fmt: skip
    facts = QuantisationFacts(
        type=f"MLX {bits} bits",
        program=f"mlx_lm {version('mlx-lm')}",
        bits_per_weight=8 * stored / max(1, sum(widths.values())),
        group_size=group,
        recipe=recipe,
        whole=whole[:_SHOWN],
    )
    kept_change = KeptChange(
        {
            name: _products(after[name], before[name], change)
            for name, change in changes.items()
            if change is not None and name in before and hasattr(after[name], "scales")
        }
    )
    return Quantised(model=network, config=quantized_config, facts=facts, kept=kept_change)


def _predicate(
    model: nn.Module, recipe: Recipe, group: int
) -> Callable[[str, nn.Module], bool | dict[str, Any]] | None:
    if recipe == "uniform":
        return None
    predicate: Callable[[str, nn.Module], bool | dict[str, Any]] = mixed_quant_predicate_builder(
        recipe, model, group
    )
    return predicate


def _sizes(modules: Mapping[str, Any]) -> dict[str, int]:
    """The number of weights of every matrix that could be quantised."""
    return {
        name: module.weight.size
        for name, module in modules.items()
        if hasattr(module, "to_quantized") and "weight" in module
    }


def _products(module: Any, weight: mx.array, change: mx.array) -> mx.array:
    """⟨Q(W+ΔW) − W, ΔW⟩ and ‖ΔW‖², lazy."""
    back = dequantised(module)
    lost = weight.astype(mx.float32) - back.astype(mx.float32)
    size = mx.sum(mx.square(change))
    return mx.stack([size - mx.sum(lost * change), size])
