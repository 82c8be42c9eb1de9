"""Positions of models that are built for it, small ones of the architectures in question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from backend.engines.modules.positions import positions_problem
from backend.engines.modules.tree import build
from backend.engines.weights.base import changes_for_mlx
from tests.field.bases import GEMMA
from tests.field.models import CONFIG

FULL = {"rope_type": "default", "rope_theta": 1000000.0}
LOCAL = {"rope_type": "default", "rope_theta": 10000.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 500000.0,
        "original_max_position_embeddings": 256}  # fmt: skip
TWO = {"full_attention": FULL, "sliding_attention": LOCAL}
PLAIN = {name: value for name, value in CONFIG.items() if name != "rope_theta"}
OLMO = {**PLAIN, "model_type": "olmo3", "sliding_window": 8, "num_hidden_layers": 4}
PLAMO = {
    **PLAIN, "model_type": "plamo2", "num_key_value_heads": 2, "hidden_size_per_head": 8,
    "mamba_num_heads": 2, "mamba_d_state": 4, "mamba_step": 2,
}  # fmt: skip
GEMMA3 = {k: v for k, v in GEMMA.items() if k not in ("rope_theta", "rope_local_base_freq")}


def problem(config: Mapping[str, Any], positions: Mapping[str, Any]) -> str | None:
    return positions_problem(
        {**config, "rope_parameters": positions},
        lambda each: build({**each, **changes_for_mlx(each)}),
    )


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        (PLAIN, FULL),
        (PLAIN, YARN),
        (PLAIN, {"rope_type": "default"}),
        (GEMMA3, TWO),
        (OLMO, {"full_attention": FULL, "sliding_attention": FULL}),
        (PLAMO, LOCAL),
    ],
    ids=["qwen2", "yarn", "no-base", "gemma3", "olmo3-of-one-base", "plamo2-of-its-own-base"],
)
def test_what_the_engine_reads_is_no_problem(
    config: Mapping[str, Any], positions: Mapping[str, Any]
) -> None:
    assert problem(config, positions) is None


@pytest.mark.parametrize(
    ("config", "positions", "says"),
    [
        (PLAMO, FULL, "plamo2 does not read: it has another in its code"),
        (OLMO, TWO, "1000000.0 for full attention and 10000.0 for the sliding window"),
        (PLAIN, TWO, "qwen2 does not read: it has one for all layers"),
    ],
    ids=["plamo2", "olmo3", "qwen2"],
)
def test_what_it_has_no_setting_for_is_said(
    config: Mapping[str, Any], positions: Mapping[str, Any], says: str
) -> None:
    assert says in str(problem(config, positions))
    inner = {"rope_parameters": positions, **config}
    wrapped = {"model_type": "wrapper", "text_config": inner}
    assert says in str(
        positions_problem(
            wrapped,
            lambda each: build({**each["text_config"], **changes_for_mlx(each["text_config"])}),
        )
    )
