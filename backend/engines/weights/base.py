"""A base model as every engine loads it: its positions stand where MLX's architectures read them.

transformers writes the base and the scaling of positions into `rope_parameters` since its version
5. Some of mlx_lm's architectures read them there (qwen3, ministral3, gemma4); the others (llama,
qwen2, mixtral, phi3, gemma3 …) would silently take defaults of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx import nn
from mlx_lm import utils

# What one table of positions becomes at the top of the configuration.
_NAMES = {
    "rope_theta": "rope_theta",
    "partial_rotary_factor": "partial_rotary_factor",
    "original_max_position_embeddings": "original_max_position_embeddings",
}
_OTHER_NAMES = {
    "gpt_neox": {"rope_theta": "rotary_emb_base", "partial_rotary_factor": "rotary_pct"},
}
_LOCAL = "rope_local_base_freq"  # gemma3: of the layers with a sliding window.


def load(path: str, *, lazy: bool = False) -> tuple[nn.Module, Any]:
    """The network and its tokenizer."""
    network, tokenizer, _ = load_with_config(path, lazy=lazy)
    return network, tokenizer


def load_with_config(path: str, *, lazy: bool = False) -> tuple[nn.Module, Any, dict[str, Any]]:
    """The network, its tokenizer and its configuration."""
    settings = changes_for_mlx(utils.load_config(Path(path)))
    network, tokenizer, config = utils.load(
        path, model_config=settings, lazy=lazy, return_config=True
    )
    return network, tokenizer, config


def load_network(folder: Path, *, lazy: bool = False) -> tuple[nn.Module, dict[str, Any]]:
    """The network and its configuration, without a tokenizer."""
    settings = changes_for_mlx(utils.load_config(folder))
    network, config = utils.load_model(folder, lazy=lazy, model_config=settings)
    return network, config


def load_config(folder: Path) -> dict[str, Any]:
    """The configuration that the network is made of."""
    config = utils.load_config(folder)
    return {**config, **changes_for_mlx(config)}


def changes_for_mlx(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to put over `config`; nothing that it has itself is replaced."""
    changes: dict[str, Any] = {}
    text = config.get("text_config")
    if isinstance(text, Mapping) and (changed := changes_for_mlx(text)):
        changes["text_config"] = {**text, **changed}
    positions = config.get("rope_parameters")
    if not isinstance(positions, Mapping):
        return changes
    main, local = _tables(positions)
    kind = str(config.get("model_type"))
    for name, at in {**_NAMES, **_OTHER_NAMES.get(kind, {})}.items():
        if config.get(at) is None and main.get(name) is not None:
            changes[at] = main[name]
    if config.get(_LOCAL) is None and local.get("rope_theta") is not None:
        changes[_LOCAL] = local["rope_theta"]
    scaling = main.get("rope_type") or main.get("type") or "default"
    if config.get("rope_scaling") is None and scaling != "default":
        changes["rope_scaling"] = {
            **{name: value for name, value in main.items() if name != "rope_theta"},
            "type": scaling,  # phi3 looks for the older name.
        }
    return changes


def _tables(positions: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Of all layers, or of those with full attention and those with a sliding window."""
    if any(isinstance(value, Mapping) for value in positions.values()):
        full, local = positions.get("full_attention"), positions.get("sliding_attention")
        return (
            full if isinstance(full, Mapping) else {},
            local if isinstance(local, Mapping) else {},
        )
    return positions, {}
