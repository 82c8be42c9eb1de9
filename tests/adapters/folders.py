"""Model and adapter folders with true headers and no meaning, for tests that never load them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.models.folders import CONFIG, model_folder

HIDDEN, INNER, LAYERS = 4, 6, 2
Shapes = Mapping[str, tuple[int, ...]]


def write_safetensors(path: Path, shapes: Shapes) -> Path:
    header: dict[str, Any] = {}
    at = 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * at)
    return path


def base(folder: Path, **config: Any) -> Path:
    """A dense model of two layers whose weights have their names and shapes."""
    model_folder(folder, CONFIG | config, weights="")
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (10, HIDDEN)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        shapes[f"{at}.self_attn.q_proj.weight"] = (HIDDEN, HIDDEN)
        shapes[f"{at}.mlp.up_proj.weight"] = (INNER, HIDDEN)
    write_safetensors(folder / "model.safetensors", shapes)
    return folder


def lora_shapes(*, rank: int = 2, layers: int = LAYERS, hidden: int = HIDDEN) -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for key, outputs in (("self_attn.q_proj", hidden), ("mlp.up_proj", INNER)):
            shapes[f"model.layers.{layer}.{key}.lora_a"] = (hidden, rank)
            shapes[f"model.layers.{layer}.{key}.lora_b"] = (rank, outputs)
    return shapes


def adapter(
    folder: Path, model: Path | str | None, *, shapes: Shapes | None = None,
    files: tuple[str, ...] = ("adapters.safetensors",), lineage: Mapping[str, Any] | None = None,
    **config: Any,
) -> Path:  # fmt: skip
    folder.mkdir(parents=True)
    for name in files:
        write_safetensors(folder / name, lora_shapes() if shapes is None else shapes)
    written: dict[str, Any] = {
        "fine_tune_type": "lora",
        "num_layers": -1,
        "lora_parameters": {"rank": 2, "scale": 20.0, "dropout": 0.0},
    }
    if model is not None:
        written["model"] = str(model)
    (folder / "adapter_config.json").write_text(json.dumps(written | config))
    if lineage is not None:
        (folder / "droid.json").write_text(json.dumps(lineage))
    return folder
