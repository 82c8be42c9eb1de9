"""Read a PEFT folder back, from nothing but its two files: what an export is tested with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import mlx.core as mx

from backend.contract.run.folder import ADAPTER_CONFIG
from backend.engines.inference.adapter_swap import Adapter

_PART = re.compile(
    r"base_model\.model\.(?P<module>.+)\."
    r"(?P<part>lora_A\.weight|lora_B\.weight|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)"
)
_NAMES = {"lora_A": "lora_a", "lora_B": "lora_b", "lora_magnitude_vector": "m"}


def peft_adapter(folder: Path) -> Adapter:
    """The adapter of a folder that `peft_format` wrote. Raises ValueError for another's."""
    config: dict[str, Any] = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    stored = cast("dict[str, mx.array]", mx.load(str(folder / "adapter_model.safetensors")))
    weights: dict[str, mx.array] = {}
    for name, value in stored.items():
        match = _PART.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is no tensor of a LoRA adapter.")
        part = _NAMES[match["part"].removesuffix(".weight").replace("embedding_", "")]
        weights[f"{match['module']}.{part}"] = mx.contiguous(value.T) if value.ndim == 2 else value
    ranks, alphas = config["rank_pattern"], config["alpha_pattern"]
    scales = {
        name: alphas.get(name, config["lora_alpha"]) / ranks.get(name, config["r"])
        for name in (key.removesuffix(".lora_a") for key in weights if key.endswith(".lora_a"))
    }
    return Adapter(key=str(folder), name=folder.name, kind="lora", weights=weights, scales=scales)
