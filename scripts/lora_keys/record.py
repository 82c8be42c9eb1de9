"""What a survey found, small enough to keep in the repository and to compare line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Found = dict[str, Any]
_MODULE = ("name", "inputs", "outputs", "copies")


def pack(found: Iterable[Found]) -> str:
    """One line of JSON per architecture; modules that are alike in several blocks once."""
    return "".join(json.dumps(_packed(one), separators=(",", ":")) + "\n" for one in found)


def unpack(text: str) -> list[Found]:
    return [_unpacked(json.loads(line)) for line in text.splitlines()]


def _packed(one: Found) -> Found:
    if "tree" not in one:
        return one
    layers: dict[tuple[Any, ...], list[int]] = {}
    for module in one["tree"]["modules"]:
        layers.setdefault(tuple(module[field] for field in _MODULE), []).append(module["layer"])
    modules = [[*module, numbers] for module, numbers in layers.items()]
    # Of the rest of the tree only what a name in a list of LoRA keys may wrongly stand for.
    others = [name for name in one["tree"]["others"] if name.endswith("dt_bias")]
    return {**one, "tree": {**one["tree"], "modules": modules, "others": others}}


def _unpacked(one: Mapping[str, Any]) -> Found:
    if "tree" not in one:
        return dict(one)
    modules = [
        {"layer": layer, **dict(zip(_MODULE, module, strict=False))}
        for module in one["tree"]["modules"]
        for layer in module[-1]
    ]
    modules.sort(key=lambda module: module["layer"])
    return {**one, "tree": {**one["tree"], "modules": modules}}
