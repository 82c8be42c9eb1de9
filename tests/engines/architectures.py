"""Random models of several architectures, a few thousand weights each, and adapters for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model

from backend.contract.inference_frames import AdapterSpec
from backend.engines.modules.tree import build

_DENSE: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 96, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "max_position_embeddings": 128,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2": _DENSE | {"model_type": "qwen2", "tie_word_embeddings": True},
    "llama": _DENSE | {"model_type": "llama", "tie_word_embeddings": False},
    # Experts: switch layers.
    "mixtral": _DENSE
    | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2},
    # One matrix for query, key and value.
    "phi3": _DENSE | {"model_type": "phi3", "tie_word_embeddings": False},
    "gpt2": {
        "model_type": "gpt2", "n_ctx": 128, "n_embd": 64, "n_head": 4, "n_layer": 2,
        "n_positions": 128, "layer_norm_epsilon": 1e-5, "vocab_size": 96,
    },
    # Brings LoRA modules of its own.
    "afm7": {
        "model_type": "afm7", "vocab_size": 96, "hidden_dim": 64, "num_layers": 2,
        "num_kv_reuse_layers": 1, "num_heads": 4, "num_kv_heads": 2,
    },
}  # fmt: skip


def make_model(folder: Path, config: dict[str, Any], *, bits: int | None = None) -> Path:
    """A model folder that `load_model` reads; there is no tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    mx.random.seed(11)
    model = build(config)
    model.eval()
    if bits is not None:
        config = config | {"quantization": {"group_size": 32, "bits": bits}}
        nn.quantize(model, group_size=32, bits=bits)
    (folder / "config.json").write_text(json.dumps(config))
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    return folder


def make_adapter(
    folder: Path, model: Path, *, rank: int = 4, layers: int = -1, scale: float = 2.0,
    keys: list[str] | None = None, dora: bool = False, seed: int = 1,
) -> Path:  # fmt: skip
    """An adapter folder as the engine writes it, with weights that change what the model says."""
    folder.mkdir(parents=True)
    base, _ = load_model(model)
    base.freeze()
    mx.random.seed(seed)
    parameters: dict[str, Any] = {"rank": rank, "scale": scale, "dropout": 0.0}
    if keys is not None:
        parameters["keys"] = keys
    linear_to_lora_layers(base, layers, dict(parameters), use_dora=dora)
    weights = {
        name: value + mx.random.normal(value.shape) * 0.1
        for name, value in tree_flatten(base.trainable_parameters())
    }
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights)
    config = {
        "model": str(model),
        "fine_tune_type": "dora" if dora else "lora",
        "num_layers": layers,
        "lora_parameters": parameters,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def make_full(folder: Path, model: Path, *, seed: int = 5) -> Path:
    """A full fine-tune of the last block."""
    folder.mkdir(parents=True)
    base, _ = load_model(model)
    base.freeze()
    base.layers[-1].unfreeze()
    mx.random.seed(seed)
    weights = {
        name: value + mx.random.normal(value.shape) * 0.1
        for name, value in tree_flatten(base.trainable_parameters())
    }
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights)
    config = {"model": str(model), "fine_tune_type": "full", "num_layers": 1}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def weights_of(adapter: Path) -> dict[str, mx.array]:
    return cast("dict[str, mx.array]", mx.load(str(adapter / "adapters.safetensors")))


def spec_of(adapter: Path) -> AdapterSpec:
    """As the server describes an adapter to the worker."""
    config = json.loads((adapter / "adapter_config.json").read_text())
    kind = "full" if config["fine_tune_type"] == "full" else "lora"
    return {
        "key": str(adapter),
        "name": adapter.name,
        "file": str(adapter / "adapters.safetensors"),
        "kind": kind,
        "scale": config.get("lora_parameters", {}).get("scale", 1.0),
        "names": None,
    }
