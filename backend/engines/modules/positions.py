"""Positions that a configuration asks for in `rope_parameters`, against those of the built model.

Whether an architecture reads a setting shows when it is changed: the model is built again with
another base, and where no number of it is another one, the setting does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import mlx.core as mx
from mlx import nn

_BASE = "rope_theta"
Config = dict[str, Any]
Build = Callable[[Config], nn.Module]


def positions_problem(config: Config, build: Build) -> str | None:
    """Why the engine would train on other positions than the model's; None where it would not.
    `config` is as it was read, `build` makes the model of such a one.
    """
    tables = _tables(config)
    bases = [table[_BASE] for table in tables]
    if not bases:
        return None
    numbers = _numbers(build(config))
    for at, base in enumerate(bases):
        if base in numbers.values():
            continue
        changed = deepcopy(config)
        _tables(changed)[at][_BASE] = base * 2
        if numbers == _numbers(build(changed)):
            return _sentence(config, bases, at)
    return None


def _tables(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tables that name a base: one of all layers, or one for each kind of them."""
    text = config.get("text_config")
    positions = (text if isinstance(text, Mapping) else config).get("rope_parameters")
    if not isinstance(positions, dict):
        return []
    kinds = ("full_attention", "sliding_attention")
    tables = [positions[kind] for kind in kinds if isinstance(positions.get(kind), dict)]
    return [each for each in tables or [positions] if isinstance(each.get(_BASE), int | float)]


def _numbers(model: nn.Module) -> dict[str, object]:
    """The plain numbers and private tables of every module; weights are neither."""
    numbers: dict[str, object] = {}
    for place, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                numbers[f"{place}.{name}"] = value
        for name, value in module.items():
            if name.startswith("_") and isinstance(value, mx.array):
                numbers[f"{place}.{name}"] = value.tolist()
    return numbers


def _sentence(config: Mapping[str, Any], bases: list[Any], at: int) -> str:
    value = f"{_BASE} {bases[at]}"
    but = "it has another in its code"
    if len(bases) > 1:
        value = f"{_BASE} {bases[0]} for full attention and {bases[1]} for the sliding window"
        but = "it has one for all layers"
    kind = (config.get("text_config") or config).get("model_type", config.get("model_type"))
    return (
        f"config.json gives {value} in rope_parameters, which the engine's {kind} does not read: "
        f"{but}, so it would train and answer with other positions than the model was made with. "
        "Use a model of another architecture."
    )
