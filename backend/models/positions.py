"""Positions that transformers 5 writes into `rope_parameters`.

The engines put one table, or those of gemma3's two kinds of layers, where an architecture looks
(`backend/engines/weights/base.py`). What no setting of the architecture takes is found by a child
that builds the model (`backend/engines/modules/positions.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def positions_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of all layers, or of those with full attention; empty where there is none."""
    table = config.get("rope_parameters")
    if not isinstance(table, Mapping):
        return {}
    full = table.get("full_attention")
    return full if isinstance(full, Mapping) else table
