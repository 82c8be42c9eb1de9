"""Positions that transformers 5 writes into `rope_parameters`, against what the engine reads.

The engines put one table, or those of gemma3's two kinds of layers, where an architecture looks
(`backend/engines/weights/base.py`). What no setting of the architecture takes is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.models.architectures import source_of

_BASE = 10_000  # Of the architectures that have it in their code.
_SETTINGS = ("rope_theta", "rope_parameters", "rotary_emb_base", "rope_freq_constant")
_LOCAL_SETTINGS = ("rope_parameters", "rope_local_base_freq")


def positions_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of all layers, or of those with full attention; empty where there is none."""
    table = config.get("rope_parameters")
    if not isinstance(table, Mapping):
        return {}
    full = table.get("full_attention")
    return full if isinstance(full, Mapping) else table


def positions_problem(config: Mapping[str, Any]) -> str | None:
    """Why the engine would train on other positions than the model's; None where it would not."""
    text = config.get("text_config")
    if isinstance(text, Mapping):  # A wrapper's text model says its own kind.
        return positions_problem(text)
    source = source_of(str(config.get("model_type")))
    theta = positions_of(config).get("rope_theta")
    if not source or not isinstance(theta, int | float):
        return None
    if "nn.RoPE(" in source and theta != _BASE and not any(name in source for name in _SETTINGS):
        return _problem(config, f"rope_theta {theta}", f"it has {_BASE} in its code")
    local = config["rope_parameters"].get("sliding_attention")
    other = local.get("rope_theta") if isinstance(local, Mapping) else None
    if other not in (None, theta) and not any(name in source for name in _LOCAL_SETTINGS):
        return _problem(
            config,
            f"rope_theta {theta} for full attention and {other} for the sliding window",
            "it has one for all layers",
        )
    return None


def _problem(config: Mapping[str, Any], value: str, but: str) -> str:
    return (
        f"config.json gives {value} in rope_parameters, which the engine's "
        f"{config.get('model_type')} does not read: {but}, so it would train and answer with "
        "other positions than the model was made with. Use a model of another architecture."
    )
