"""The module tree of a model, built from its configuration without its weights.

The model is made by the engine's own classes; MLX is lazy, so nothing is allocated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.models.switch_layers import SwitchLinear
from mlx_lm.utils import _get_classes, get_total_parameters
from mlx_lm.utils import load_config as read_config

from backend.engines.modules.positions import positions_problem
from backend.engines.weights.base import changes_for_mlx, load_config, load_network

_LONGEST = 300


def inspect(folder: Path) -> dict[str, Any]:
    """Every LoRA-able module of every block, with its sizes; and all other leaf names."""
    config = load_config(folder)
    model = build(config)
    tree = {
        **describe_tree(model, config["model_type"]),
        "problem": problem_of(model),
        "positions_problem": positions_problem(read_config(folder), _build_fitted),
    }
    return tree | loading_of(folder)


def loading_of(folder: Path) -> dict[str, Any]:
    """How the weights meet the architecture's own list: `weights_problem` is why the engine can't
    load them, else `loaded_parameters` what it keeps of them. Nothing is read but headers.
    """
    if not any(folder.glob("model*.safetensors")):
        return {"weights_problem": None, "loaded_parameters": None}
    try:
        model, _ = load_network(folder, lazy=True)
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError, OSError) as problem:
        return {"weights_problem": _plain(problem), "loaded_parameters": None}
    return {"weights_problem": None, "loaded_parameters": get_total_parameters(model)}


def _plain(problem: Exception) -> str:
    """The engine's own list of names in one line, cut where it is long."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    if isinstance(problem, KeyError):
        text = f"{text} is not among the weights or settings"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _build_fitted(config: dict[str, Any]) -> nn.Module:
    return build({**config, **changes_for_mlx(config)})


def build(config: dict[str, Any]) -> nn.Module:
    """The model without its weights: nothing is evaluated."""
    model_class, args_class = _get_classes(config)
    return model_class(args_class.from_dict(config))


def describe_tree(model: nn.Module, architecture: str) -> dict[str, Any]:
    """The answer for a model that has been built."""
    modules = []
    others: set[str] = set()
    excluded: set[str] = set()
    for number, block in enumerate(model.layers):
        for name, module in block.named_modules():
            if not name:
                continue
            size = _size(module)
            if size is None:
                others.add(name)
            elif name.startswith("altup."):  # Gemma 3n reads these weights directly.
                excluded.add(name)
            else:
                modules.append({"layer": number, "name": name, **size})
        others |= {path for path, _ in tree_flatten(block.parameters())}
    return {
        "architecture": architecture,
        "num_layers": len(model.layers),
        "modules": modules,
        "others": sorted(others),
        "excluded": sorted(excluded),
        "parameters": _count(model),
        "block_parameters": [_count(block) for block in model.layers],
    }


def problem_of(model: nn.Module) -> str | None:
    """Why the engine can't train this architecture at all; None where it can, as nearly always."""
    try:
        model.freeze()
    except AttributeError as error:  # recurrent_gemma keeps its state where MLX has its own.
        return f"mlx_lm can't freeze this architecture, and so not train it: {error}."
    return None


def _count(module: nn.Module) -> int:
    return sum(value.size for _, value in tree_flatten(module.parameters()))


def _size(module: nn.Module) -> dict[str, int] | None:
    """Inputs, outputs and copies of a module that LoRA can be attached to, else None."""
    if hasattr(module, "to_lora"):
        attached = module.to_lora(r=1, scale=1.0, dropout=0.0)
        additions = sum(
            value.size
            for name, value in tree_flatten(attached.parameters())
            # Fused matrices keep a list of them: lora_a.0, lora_a.1.
            if not {"lora_a", "lora_b"}.isdisjoint(name.split("."))
        )
        # What a rank costs is all that counts; the split into two sides is not known.
        return {"inputs": additions, "outputs": 0, "copies": 1}
    if isinstance(module, SwitchLinear):
        copies, outputs, inputs = module.weight.shape
        return {"inputs": inputs, "outputs": outputs, "copies": copies}
    if isinstance(module, nn.Linear):
        outputs, inputs = module.weight.shape
        return {"inputs": inputs, "outputs": outputs, "copies": 1}
    if isinstance(module, nn.Embedding):
        count, width = module.weight.shape
        return {"inputs": count, "outputs": width, "copies": 1}
    return None
