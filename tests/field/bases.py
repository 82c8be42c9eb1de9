"""Base models as people bring them: with files too many, too few, of another kind, or unread."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.field.models import CONFIG, TEMPLATES, weights_of, write_base
from tests.field.wrapped_bases import WRAPPED

Builder = Callable[[Path], None]
PLAIN = TEMPLATES["plain"]
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def _plain(folder: Path, **config: Any) -> None:
    write_base(folder, template=PLAIN, config={**CONFIG, **config})


def _settings(folder: Path, name: str, **changed: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def _tensors(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "mlx"})


def sharded(folder: Path) -> None:
    """The same weights in two files with their index."""
    _plain(folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    index = {name: SHARDS[at % 2] for at, name in enumerate(names)}
    for shard in SHARDS:
        part = {name: tensors[name] for name in names if index[name] == shard}
        save_file(part, folder / shard, {"format": "mlx"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def packed(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """As a 4-bit copy has them: matrices of U32 with scales and biases."""
    found = dict(tensors)
    for name, tensor in tensors.items():
        if name.endswith("_proj.weight"):
            base = name.removesuffix(".weight")
            rows = tensor.shape[0]
            found[name] = np.zeros((rows, 4), np.uint32)
            found[f"{base}.scales"] = np.ones((rows, 1), np.float32)
            found[f"{base}.biases"] = np.ones((rows, 1), np.float32)
    return found


def _bnb(folder: Path) -> None:
    _plain(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})


def _no_head(folder: Path) -> None:
    _plain(folder, tie_word_embeddings=False)


def _stray(folder: Path) -> None:
    sharded(folder)
    save_file(packed(weights_of(CONFIG)), folder / "model.safetensors", {"format": "mlx"})


def _packed_unnamed(folder: Path) -> None:
    _plain(folder)
    save_file(packed(weights_of(CONFIG)), folder / "model.safetensors", {"format": "mlx"})


def _stale_index(folder: Path) -> None:
    _plain(folder)
    index = dict.fromkeys(weights_of(CONFIG), SHARDS[0])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def _unfinished(folder: Path) -> None:
    sharded(folder)
    (folder / SHARDS[1]).unlink()


def _missing_matrix(folder: Path) -> None:
    _plain(folder)
    _tensors(folder, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))


def _surplus(folder: Path) -> None:
    _plain(folder)
    _tensors(folder, lambda all_: all_.update({"model.extra.weight": np.ones((2, 2), "float32")}))


def _wrong_shape(folder: Path) -> None:
    _plain(folder)
    name = "model.layers.0.mlp.up_proj.weight"
    _tensors(folder, lambda tensors: tensors.update({name: np.ones((24, 20), "float32")}))


def _beyond(folder: Path) -> None:
    _plain(folder)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    for at in range(3):
        tokenizer["added_tokens"].append(
            {"id": 1280 + at, "content": f"<tok{at}>", "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": False}
        )  # fmt: skip
    path.write_text(json.dumps(tokenizer))


def _auto_map(folder: Path) -> None:
    _plain(folder, auto_map={"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"})


def _processor(folder: Path) -> None:
    write_base(folder, template=None)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": PLAIN}))


def _yarn(folder: Path) -> None:
    scaling = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}
    _plain(folder, rope_scaling=scaling)


def _nested_positions(folder: Path) -> None:
    """As transformers 5 writes them."""
    positions = {
        "rope_type": "yarn", "rope_theta": 50000.0, "factor": 4.0,
        "original_max_position_embeddings": 1024,
    }  # fmt: skip
    config = {name: value for name, value in CONFIG.items() if name != "rope_theta"}
    write_base(folder, template=PLAIN, config={**config, "rope_parameters": positions})


def _two_thetas(folder: Path) -> None:
    """A base for each kind of layer, which MLX's qwen2 has no setting for."""
    positions = {
        "full_attention": {"rope_type": "default", "rope_theta": 50000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }
    _plain(folder, rope_parameters=positions)


GEMMA: Mapping[str, Any] = {
    "model_type": "gemma3_text", "hidden_size": 16, "num_hidden_layers": 2,
    "intermediate_size": 24, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
    "vocab_size": 1280, "rms_norm_eps": 1e-6, "max_position_embeddings": 1024,
    "sliding_window": 64, "sliding_window_pattern": 2, "query_pre_attn_scalar": 8,
    "rope_theta": 10000.0, "rope_local_base_freq": 10000.0, "rope_traditional": False,
}  # fmt: skip


def _vision(folder: Path) -> None:
    config = {
        "model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": dict(GEMMA), "vocab_size": 1280, "vision_config": {"hidden_size": 8},
        "eos_token_id": 2,
    }  # fmt: skip
    write_base(folder, template=PLAIN)
    (folder / "config.json").write_text(json.dumps(config))
    text = {
        f"language_model.{name}": tensor
        for name, tensor in weights_of(CONFIG).items()
        if not name.endswith("_proj.bias")
    }
    for layer in range(2):
        at = f"language_model.model.layers.{layer}"
        for name in ("pre_feedforward_layernorm", "post_feedforward_layernorm"):
            text[f"{at}.{name}.weight"] = np.ones(16, "float32")
        for name in ("q_norm", "k_norm"):
            text[f"{at}.self_attn.{name}.weight"] = np.ones(8, "float32")
    tower = {"vision_tower.layer.weight": np.ones((8, 8), "float32"),
             "multi_modal_projector.proj.weight": np.ones((8, 16), "float32")}  # fmt: skip
    save_file({**text, **tower}, folder / "model.safetensors", {"format": "mlx"})


BASES: Mapping[str, Builder] = {
    "bnb": _bnb,
    "nolmhead": _no_head,
    "stray": _stray,
    "packed-unnamed": _packed_unnamed,
    "staleidx": _stale_index,
    "unfinished": _unfinished,
    "missing-matrix": _missing_matrix,
    "surplus": _surplus,
    "wrong-shape": _wrong_shape,
    "oov": _beyond,
    "auto-map": _auto_map,
    "processor": _processor,
    "yarn": _yarn,
    "nested-positions": _nested_positions,
    "two-thetas": _two_thetas,
    "gemma3": _vision,
    "sharded": sharded,
    **WRAPPED,
}
