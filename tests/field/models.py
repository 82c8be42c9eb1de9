"""Tiny base models for the corpus: the demo model's tokenizer with random weights of a few layers.

A builder writes one folder. To add a base, write a function and name it in `BUILDERS`; a base that
differs by its template alone is a line in `TEMPLATES`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.field import template_models
from tests.service.server import DEMO

Builder = Callable[[Path], None]
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
CONFIG: Mapping[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "intermediate_size": 24,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "rms_norm_eps": 1e-6,
    "vocab_size": 1280,
    "max_position_embeddings": 1024,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "eos_token_id": 2,
}
_HEAD = "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
_TAIL = "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_CONTENT = "{% if message['content'] %}{{ message['content'] }}{% endif %}"
_CALLS = "{% for call in message['tool_calls'] or [] %}{{ call['function']['name'] }}("
TEMPLATES: Mapping[str, str] = {
    "plain": _HEAD + "{{ message['content'] }}" + _TAIL,
    # Tool arguments written as JSON, and as the items of a mapping.
    "tojson": _HEAD + _CONTENT + _CALLS
    + "{{ call['function']['arguments'] | tojson }}){% endfor %}" + _TAIL,
    "items": _HEAD + _CONTENT + _CALLS
    + "{% for name, value in call['function']['arguments'] | items %}{{ name }}={{ value }};"
    "{% endfor %}){% endfor %}" + _TAIL,
}  # fmt: skip


def build(name: str, folder: Path) -> Path:
    """The base of that name, in `folder`."""
    from tests.field.bases import BASES

    folder.mkdir(parents=True)
    {**BUILDERS, **BASES}[name](folder)
    return folder


def write_base(folder: Path, *, template: str | None, config: Mapping[str, Any] = CONFIG) -> None:
    """Config, random weights and the demo's tokenizer, with a template where one is given."""
    for name in TOKENIZER:
        shutil.copy(DEMO / name, folder / name)
    (folder / "config.json").write_text(json.dumps(config))
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    save_file(weights_of(config), folder / "model.safetensors", {"format": "mlx"})


def weights_of(config: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Random tensors of a Qwen2 of that config."""
    chance = np.random.default_rng(7)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    keys = hidden // config["num_attention_heads"] * config["num_key_value_heads"]

    def matrix(*shape: int) -> np.ndarray[Any, Any]:
        return chance.normal(0, 0.05, shape).astype(np.float32)

    found = {"model.embed_tokens.weight": matrix(config["vocab_size"], hidden)}
    found["model.norm.weight"] = np.ones(hidden, np.float32)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        for name, outputs in (("q", hidden), ("k", keys), ("v", keys)):
            found[f"{at}.self_attn.{name}_proj.weight"] = matrix(outputs, hidden)
            found[f"{at}.self_attn.{name}_proj.bias"] = np.zeros(outputs, np.float32)
        found[f"{at}.self_attn.o_proj.weight"] = matrix(hidden, hidden)
        found[f"{at}.mlp.gate_proj.weight"] = matrix(inner, hidden)
        found[f"{at}.mlp.up_proj.weight"] = matrix(inner, hidden)
        found[f"{at}.mlp.down_proj.weight"] = matrix(hidden, inner)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{at}.{name}.weight"] = np.ones(hidden, np.float32)
    return found


def _with_first_token(folder: Path) -> None:
    write_base(folder, template=TEMPLATES["plain"])
    template_models.add_first_token(folder)


def _of_template(template: str) -> Builder:
    return lambda folder: write_base(folder, template=template)


BUILDERS: dict[str, Builder] = {
    **{name: _of_template(template) for name, template in TEMPLATES.items()},
    **{name: _of_template(text) for name, text in template_models.TEMPLATES.items()},
    "firsttoken": _with_first_token,
    "base": lambda folder: write_base(folder, template=None),
}
