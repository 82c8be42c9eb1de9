"""Put an adapter onto a resident model and take it off again, leaving the base as it was.

The engine's own loader builds every module from the configuration, and its remover knows plain LoRA
only: DoRA, expert and embedding adapters stay on, and the next one is nested inside (measured,
mlx-lm 0.32.2). Here the adapter's own tensors say which modules get one, and every module that has
a `lora_a` is taken off, whatever its class. The wrapped modules are the engine's, so the numbers
are those of a fresh load, bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear
from mlx_lm.tuner.dora import DoRAEmbedding, DoRALinear
from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear, LoRASwitchLinear

from backend.engines.inference.protocol import Refused

_PART = re.compile(r"(?P<module>.+)\.(?P<part>lora_a|lora_b|m)(?:\.(?P<number>\d+))?")
_WRAPPERS = {"base_model", "model", "language_model", "text_model"}
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Weights in memory, named as the engine names them.

    `kind` full replaces weights of the base itself. `scale` multiplies the LoRA branch; `scales`
    has those of modules that differ (PEFT's alpha patterns).
    """

    key: str
    name: str
    kind: Literal["lora", "full"]
    weights: Mapping[str, mx.array]
    scale: float = 1.0
    scales: Mapping[str, float] = field(default_factory=dict)
    loose: bool = False  # Module names of another framework: their end decides.

    @property
    def nbytes(self) -> int:
        return sum(value.nbytes for value in self.weights.values())


def attach(
    model: nn.Module, adapter: Adapter, modules: Mapping[str, nn.Module] | None = None
) -> list[str]:
    """Wrap the modules that the adapter has tensors for; answers their names.

    The model must be bare; `modules` are its own by name, if they are at hand. Raises Refused, with
    nothing changed, when a module is missing or a shape does not fit.
    """
    modules = dict(model.named_modules()) if modules is None else modules
    parts = _parts_by_module(adapter)
    places = {path: module_place(path, modules, loose=adapter.loose) for path in parts}
    problems = [f"{path} is no module of the model" for path, at in places.items() if at is None]
    if problems:
        raise _mismatch(adapter, problems)
    wrapped: list[tuple[str, nn.Module]] = []
    for path, tensors in parts.items():
        at = places[path] or path
        scale = adapter.scales.get(path, adapter.scale)
        try:
            wrapped.append((at, _wrap(modules[at], tensors, scale)))
        except ValueError as problem:
            problems.append(f"{path}: {problem}")
    if problems:
        raise _mismatch(adapter, problems)
    replace(model, wrapped)
    return [name for name, _ in wrapped]


def strip(model: nn.Module) -> int:
    """Take every adapter off, of whatever class and however nested; answers how many modules."""
    bare: list[tuple[str, nn.Module]] = []
    within: set[str] = set()  # Wrapped modules, and all that is inside them.
    for name, module in model.named_modules():
        if name.rpartition(".")[0] in within:
            within.add(name)
        elif "lora_a" in module:
            within.add(name)
            bare.append((name, _inside(module)))
    replace(model, bare)
    return len(bare)


def overwrite(model: nn.Module, adapter: Adapter) -> int:
    """Load the weights of a full fine-tune over the base's own; only a reload takes them back."""
    parameters = dict(tree_flatten(model.parameters()))
    problems = [
        f"{name} is no weight of the model"
        if name not in parameters
        else f"{name} has the shape {value.shape}, and the model's has {parameters[name].shape}"
        for name, value in adapter.weights.items()
        if name not in parameters or parameters[name].shape != value.shape
    ]
    if problems:
        raise _mismatch(adapter, problems)
    model.load_weights(list(adapter.weights.items()), strict=False)
    return len(adapter.weights)


def replace(model: nn.Module, modules: list[tuple[str, nn.Module]]) -> None:
    """Put modules in the place of those of these names."""
    if modules:
        model.update_modules(tree_unflatten(modules))


def adapted(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that carry an adapter now, by name."""
    return ((name, module) for name, module in model.named_modules() if "lora_a" in module)


def _parts_by_module(adapter: Adapter) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    strange = []
    for name, value in adapter.weights.items():
        match = _PART.fullmatch(name)
        if match is None:
            strange.append(f"{name} is no LoRA tensor")
            continue
        tensors = parts.setdefault(match["module"], {})
        if match["number"] is None:
            tensors[match["part"]] = value
        else:
            tensors.setdefault(match["part"], {})[int(match["number"])] = value
    if strange:
        raise _mismatch(adapter, strange)
    for tensors in parts.values():
        for part, value in tensors.items():
            if isinstance(value, dict):
                tensors[part] = [value[number] for number in sorted(value)]
    return parts


def module_place(path: str, modules: Mapping[str, nn.Module], *, loose: bool) -> str | None:
    """Where the adapter's module is in this model."""
    if path in modules:
        return path
    if not loose:
        return None
    core = _without_wrappers(path)
    same = [name for name in modules if _without_wrappers(name) == core]
    if len(same) == 1:
        return same[0]
    end = "." + path.split(".", 1)[-1]
    places = [name for name in modules if name == end[1:] or name.endswith(end)]
    return places[0] if len(places) == 1 else None


def _without_wrappers(path: str) -> str:
    """A module's name without what stands around the text model, which PEFT and transformers have
    spelled in three ways: `model.`, `language_model.model.` and `model.language_model.`.
    """
    first, dot, rest = path.partition(".")
    while dot and first in _WRAPPERS:
        path = rest
        first, dot, rest = path.partition(".")
    return path


def _wrap(module: nn.Module, tensors: Mapping[str, Any], scale: float) -> nn.Module:
    """The engine's own LoRA module around `module`. Raises ValueError when the two don't fit."""
    if not {"lora_a", "lora_b"} <= tensors.keys():
        missing = sorted({"lora_a", "lora_b"} - tensors.keys())
        raise ValueError(f"{' and '.join(missing)} is missing")
    dora = "m" in tensors
    if hasattr(module, "to_lora") and not dora:
        return _wrap_by_itself(module, tensors, scale)
    if isinstance(tensors["lora_a"], list):
        raise ValueError(f"it has several pairs, and {type(module).__name__} takes one")
    kind, inner = _class_for(module, dora=dora)
    rank = tensors["lora_a"].shape[1 if kind is LoRASwitchLinear else -1]
    expected = _shapes(module, rank)
    for part, value in tensors.items():
        if value.shape != expected[part]:
            raise ValueError(
                f"{part} has the shape {value.shape}, and {expected[part]} would fit the model"
            )
    wrapped = _empty(kind)
    wrapped.scale = scale
    wrapped[inner] = module
    for part, value in tensors.items():
        wrapped[part] = value
    if kind is LoRASwitchLinear:
        wrapped.num_experts = module.num_experts
    return wrapped


def _wrap_by_itself(module: Any, tensors: Mapping[str, Any], scale: float) -> nn.Module:
    """A module that brings its own LoRA, such as a fused query, key and value matrix."""
    first = tensors["lora_a"][0] if isinstance(tensors["lora_a"], list) else tensors["lora_a"]
    wrapped: nn.Module = module.to_lora(r=first.shape[-1], scale=scale, dropout=0.0)
    for part, value in tensors.items():
        fresh = wrapped[part]
        shapes = [item.shape for item in _several(value)]
        expected = [item.shape for item in _several(fresh)]
        if shapes != expected:
            raise ValueError(f"{part} has the shapes {shapes}, and {expected} would fit the model")
        wrapped[part] = value
    return wrapped


def _several(value: Any) -> list[mx.array]:
    return value if isinstance(value, list) else [value]


def _class_for(module: nn.Module, *, dora: bool) -> tuple[Any, Literal["linear", "embedding"]]:
    if isinstance(module, nn.Linear | nn.QuantizedLinear):
        return (DoRALinear if dora else LoRALinear), "linear"
    if isinstance(module, SwitchLinear | QuantizedSwitchLinear) and not dora:
        return LoRASwitchLinear, "linear"
    if isinstance(module, nn.Embedding | nn.QuantizedEmbedding):
        if dora and isinstance(module, nn.QuantizedEmbedding):
            raise ValueError("the engine has no DoRA for quantised embeddings")
        return (DoRAEmbedding if dora else LoRAEmbedding), "embedding"
    raise ValueError(f"{type(module).__name__} can't carry a {'DoRA' if dora else 'LoRA'} adapter")


def _empty(kind: Any) -> Any:
    """An instance whose parts are all still to be put in. Its dropout of 0 does nothing, and the
    constructor, which draws random matrices, is run once per class.
    """
    module = _prototype(kind)
    clone = kind.__new__(kind)
    dict.update(clone, module)  # A module is a dictionary of its arrays and modules,
    clone.__dict__.update(module.__dict__)  # with everything else beside it.
    return clone


@cache
def _prototype(kind: Any) -> Any:
    sizes = (1, 1, 1) if kind is LoRASwitchLinear else (1, 1)
    return kind(*sizes, r=1, dropout=0.0, scale=1.0)


def _shapes(module: Any, rank: int) -> dict[str, tuple[int, ...]]:
    """What the tensors of a LoRA pair must measure on this module."""
    if isinstance(module, SwitchLinear | QuantizedSwitchLinear):
        experts, inputs, outputs = module.num_experts, module.input_dims, module.output_dims
        return {"lora_a": (experts, rank, inputs), "lora_b": (experts, outputs, rank)}
    rows, columns = module.weight.shape
    if isinstance(module, nn.QuantizedLinear | nn.QuantizedEmbedding):
        columns = columns * 32 // module.bits
    if isinstance(module, nn.Embedding | nn.QuantizedEmbedding):
        return {"lora_a": (rows, rank), "lora_b": (rank, columns), "m": (rows,)}
    return {"lora_a": (columns, rank), "lora_b": (rank, rows), "m": (rows,)}


def _inside(module: nn.Module) -> nn.Module:
    while "lora_a" in module:
        module = module["linear"] if "linear" in module else module["embedding"]
    return module


def _mismatch(adapter: Adapter, problems: list[str]) -> Refused:
    listing = "; ".join(problems[:_SHOWN])
    rest = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return Refused(
        "bad_adapter",
        f"The adapter {adapter.name} does not fit this model: {listing}{rest}.",
        "Choose the base model that it was trained on.",
    )
