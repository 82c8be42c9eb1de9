"""Random models that GGUF has a place for, with a tokenizer of a few merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import mlx.core as mx

from tests.engines.architectures import CONFIGS, make_model
from tests.engines.tiny_model import write_tokenizer

MERGES = (("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "n"), ("l", "l"), ("e", "ll"))
LLAMA3_ROPE = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "qwen2": {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]},
    "llama": {"model_type": "llama", "tie_word_embeddings": False},
    "llama, tied head, llama3 positions": {
        "model_type": "llama", "tie_word_embeddings": True, "rope_scaling": LLAMA3_ROPE,
    },
    "llama, biases, linear positions": {
        "model_type": "llama", "attention_bias": True, "tie_word_embeddings": False,
        "rope_scaling": {"type": "linear", "factor": 2.0},
    },
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "tie_word_embeddings": False},
    "qwen3, tied head": {"model_type": "qwen3", "head_dim": 16},
}  # fmt: skip

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def _split(regex: str) -> list[dict[str, Any]]:
    first = {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}
    return [first, _BYTES | {"use_regex": False}]


# How text is split, where it is not as GPT-2 does: those of the demo model, Qwen and Llama 3.
SPLITS: dict[str, list[dict[str, Any]]] = {
    "qwen2": [{"type": "Digits", "individual_digits": True}, _BYTES | {"use_regex": True}],
    "qwen3": _split(_WORDS),
    "llama, tied head, llama3 positions": _split(_WORDS.replace(r"|\p{N}|", r"|\p{N}{1,3}|")),
}


def gguf_model(folder: Path, kind: str) -> Path:
    """Its weights are whole in 16 bits and large enough that greedy answers have no near ties."""
    size = write_tokenizer(folder, merges=MERGES)
    config = CONFIGS["qwen2"] | KINDS[kind] | {"vocab_size": size + 5, "eos_token_id": size - 1}
    make_model(folder, config)
    if kind in SPLITS:
        path = folder / "tokenizer.json"
        stored = json.loads(path.read_text())
        stored["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": SPLITS[kind]}
        stored["model"]["ignore_merges"] = kind.startswith("llama")
        path.write_text(json.dumps(stored))
    file = folder / "model.safetensors"
    weights = {
        name: (value * (4 if value.ndim > 1 else 1)).astype(mx.float16).astype(mx.float32)
        for name, value in cast("dict[str, mx.array]", mx.load(str(file))).items()
    }
    mx.save_safetensors(str(file), weights, {"format": "mlx"})
    return folder
