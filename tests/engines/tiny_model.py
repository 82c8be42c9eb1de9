"""A random Qwen2 of a few thousand weights with its own tokenizer: enough to train for real."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.decoders import ByteLevel

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LAYERS = 2


def build_tiny_model(folder: Path, *, chat_template: bool = True) -> Path:
    """Write config, weights and tokenizer into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = write_tokenizer(folder, chat_template=chat_template)
    hidden, inner, heads, kv_heads = 32, 48, 4, 2
    config: dict[str, Any] = {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "eos_token_id": vocabulary - 1,
    }
    (folder / "config.json").write_text(json.dumps(config))
    chance = np.random.default_rng(7)
    side = hidden // heads

    def matrix(*shape: int) -> np.ndarray[Any, Any]:
        return chance.normal(0, 0.05, shape).astype(np.float32)

    weights = {"model.embed_tokens.weight": matrix(vocabulary, hidden)}
    weights["model.norm.weight"] = np.ones(hidden, np.float32)
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        for name, outputs in (("q", hidden), ("k", kv_heads * side), ("v", kv_heads * side)):
            weights[f"{at}.self_attn.{name}_proj.weight"] = matrix(outputs, hidden)
            weights[f"{at}.self_attn.{name}_proj.bias"] = np.zeros(outputs, np.float32)
        weights[f"{at}.self_attn.o_proj.weight"] = matrix(hidden, hidden)
        weights[f"{at}.mlp.gate_proj.weight"] = matrix(inner, hidden)
        weights[f"{at}.mlp.up_proj.weight"] = matrix(inner, hidden)
        weights[f"{at}.mlp.down_proj.weight"] = matrix(hidden, inner)
        weights[f"{at}.input_layernorm.weight"] = np.ones(hidden, np.float32)
        weights[f"{at}.post_attention_layernorm.weight"] = np.ones(hidden, np.float32)
    save_file(weights, folder / "model.safetensors", {"format": "mlx"})
    return folder


def write_tokenizer(
    folder: Path, *, chat_template: bool = True, merges: Sequence[tuple[str, str]] = ()
) -> int:
    """A byte-level tokenizer in which nothing had to be learned; its size."""
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(alphabet)}
    for pair in merges:
        vocabulary["".join(pair)] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 256,
    }
    if chat_template:
        settings["chat_template"] = CHATML
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer.get_vocab_size()
