"""Requests and models for the tests of the training room."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.lora.groups import build_targets
from backend.training.request.sft_fields import StandardStart

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}


def request(**fields: Any) -> StandardStart:
    needed = {"model_path": "tiny", "train_data_path": "rows.jsonl"}
    return StandardStart.model_validate(needed | fields)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]] | int, row: Any = None) -> Path:
    """The given rows, or that many different chats (or of `row`)."""
    if isinstance(rows, int):
        rows = [numbered(number) if row is None else row for number in range(rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def numbered(number: int) -> dict[str, Any]:
    turns = (("user", f"Question {number}?"), ("assistant", f"Answer {number}."))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def model(**fields: Any) -> ModelInfo:
    known: dict[str, Any] = {
        "name": "tiny", "path": "/models/tiny", "model_type": "qwen2", "vocab_size": 100,
        "num_layers": 2, "hidden_size": 8, "parameters": 1000, "quantization": None,
        "dtype": "float32", "size_bytes": 4000, "chat_template": True, "context_length": 256,
        "problem": None,
    }  # fmt: skip
    return ModelInfo(**known | fields)


def qwen_tree(layers: int = 2, hidden: int = 8, inner: int = 16, kv: int = 4) -> dict[str, Any]:
    """What the inspection child answers for a small Qwen2."""
    sizes = {
        "self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (hidden, kv),
        "self_attn.v_proj": (hidden, kv), "self_attn.o_proj": (hidden, hidden),
        "mlp.gate_proj": (hidden, inner), "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }  # fmt: skip
    return {
        "architecture": "qwen2",
        "num_layers": layers,
        "modules": [
            {"layer": layer, "name": name, "inputs": size[0], "outputs": size[1], "copies": 1}
            for layer in range(layers)
            for name, size in sizes.items()
        ],
        "others": ["input_layernorm"],
        "parameters": 1000,
        "block_parameters": [400] * layers,
    }


def targets(tree: Mapping[str, Any] | None = None) -> LoraTargets:
    return build_targets(tree or qwen_tree(), total_parameters=None)
