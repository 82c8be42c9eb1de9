"""Bases whose text model is inside one for pictures, and bases with files of an earlier copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.field.models import CONFIG, TEMPLATES, weights_of, write_base

INDEX = "model.safetensors.index.json"
_TOWER = np.ones((8, 16), "float32")


def _write(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    write_base(folder, template=TEMPLATES["plain"])
    (folder / "config.json").write_text(json.dumps(config))
    save_file(dict(tensors), folder / "model.safetensors", {"format": "mlx"})


def _qwen2_vl(folder: Path) -> None:
    """As published: the text model's fields at the top, its tensors without a prefix."""
    config = {**CONFIG, "model_type": "qwen2_vl", "vision_config": {"depth": 1, "embed_dim": 8}}
    _write(folder, config, {**weights_of(CONFIG), "visual.merger.weight": _TOWER})


def _qwen2_vl_nested(folder: Path) -> None:
    """As transformers 5 writes it: both towers below `model`."""
    tensors = {
        name.replace("model.", "model.language_model.", 1): tensor
        for name, tensor in weights_of(CONFIG).items()
    }
    config = {
        "model_type": "qwen2_vl", "text_config": {**CONFIG, "model_type": "qwen2"},
        "vision_config": {"depth": 1, "embed_dim": 8}, "eos_token_id": 2,
    }  # fmt: skip
    _write(folder, config, {**tensors, "model.visual.merger.weight": _TOWER})


def _mistral3(folder: Path) -> None:
    text = {**CONFIG, "model_type": "mistral", "tie_word_embeddings": False}
    tensors = {
        f"language_model.{name}": tensor
        for name, tensor in weights_of(CONFIG).items()
        if not name.endswith("_proj.bias")
    }
    tensors["language_model.lm_head.weight"] = np.ones((1280, 16), "float32")
    tensors |= {"vision_tower.layer.weight": _TOWER, "multi_modal_projector.linear.weight": _TOWER}
    config = {"model_type": "mistral3", "text_config": text, "vision_config": {"hidden_size": 8},
              "eos_token_id": 2}  # fmt: skip
    _write(folder, config, tensors)


def _plain_with_index(folder: Path, index: str) -> None:
    write_base(folder, template=TEMPLATES["plain"])
    (folder / INDEX).write_text(index)


def _index_of_html(folder: Path) -> None:
    _plain_with_index(folder, "<!doctype html><title>Not found</title>")


def _index_of_fewer(folder: Path) -> None:
    """It names the file that is there, but not all of its tensors."""
    _plain_with_index(
        folder,
        json.dumps({"weight_map": {"model.embed_tokens.weight": "model.safetensors"}}),
    )


def _old_shard(folder: Path) -> None:
    """A whole file, the index of the sharded copy before it, and one of its two shards."""
    names = list(weights_of(CONFIG))
    shards = [f"model-0000{at}-of-00002.safetensors" for at in (1, 2)]
    index = {name: shards[at % 2] for at, name in enumerate(names)}
    _plain_with_index(folder, json.dumps({"weight_map": index}))
    tensors = load_file(folder / "model.safetensors")
    part = {name: tensors[name] for name in names if index[name] == shards[0]}
    save_file(part, folder / shards[0], {"format": "mlx"})


def _consolidated(folder: Path) -> None:
    """Mistral's own file beside the one that the engine reads."""
    write_base(folder, template=TEMPLATES["plain"])
    own = {"layers.0.attention.wq.weight": np.ones((16, 16), "float32")}
    save_file(own, folder / "consolidated.safetensors", {"format": "pt"})


def _padded(folder: Path) -> None:
    """An embedding of more rows than the tokenizer has tokens."""
    config = {**CONFIG, "vocab_size": 1344}
    write_base(folder, template=TEMPLATES["plain"], config=config)


def _added_mark(folder: Path) -> None:
    """The chat template writes a mark that the embedding has no row for."""
    text = TEMPLATES["plain"].replace("assistant\n", "assistant\n<answer-begins>")
    text = text.replace(
        "{{ message['content'] }}",
        "{% if message['role'] == 'assistant' %}<answer-begins>{% endif %}{{ message['content'] }}",
    )
    write_base(folder, template=text)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append(
        {"id": 1280, "content": "<answer-begins>", "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": True}
    )  # fmt: skip
    path.write_text(json.dumps(tokenizer))


WRAPPED: Mapping[str, Callable[[Path], None]] = {
    "qwen2-vl": _qwen2_vl,
    "qwen2-vl-nested": _qwen2_vl_nested,
    "mistral3": _mistral3,
    "index-of-html": _index_of_html,
    "index-of-fewer": _index_of_fewer,
    "old-shard": _old_shard,
    "consolidated": _consolidated,
    "padded": _padded,
    "added-mark": _added_mark,
}
