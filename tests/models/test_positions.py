from __future__ import annotations

from typing import Any

import pytest

from backend.models.checks import scaled_context
from backend.models.positions import positions_problem

YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0}
FULL = {"rope_type": "default", "rope_theta": 1000000.0}
LOCAL = {"rope_type": "default", "rope_theta": 10000.0}
TWO = {"full_attention": FULL, "sliding_attention": LOCAL}


@pytest.mark.parametrize(
    "config",
    [
        {"rope_parameters": YARN},
        {"rope_parameters": {"full_attention": YARN, "sliding_attention": LOCAL}},
        {"text_config": {"rope_parameters": {"full_attention": YARN, "sliding_attention": LOCAL}}},
        {"rope_parameters": {**YARN, "original_max_position_embeddings": 1024}},
    ],
)
def test_a_context_that_transformers_5_nests_is_stretched(config: dict[str, Any]) -> None:
    assert scaled_context(config, 1024) == 4096


@pytest.mark.parametrize(
    ("kind", "positions"),
    [
        ("qwen2", FULL),
        ("gemma3_text", TWO),
        ("olmo3", {"full_attention": FULL, "sliding_attention": FULL}),
        ("plamo2", LOCAL),
        ("gemma4_text", TWO),
    ],
)
def test_what_the_engine_reads_is_no_problem(kind: str, positions: dict[str, Any]) -> None:
    assert positions_problem({"model_type": kind, "rope_parameters": positions}) is None


@pytest.mark.parametrize(
    ("kind", "positions", "says"),
    [
        ("plamo2", FULL, "rope_theta 1000000.0"),
        ("olmo3", TWO, "1000000.0 for full attention"),
    ],
)
def test_what_it_has_no_setting_for_is_said(
    kind: str, positions: dict[str, Any], says: str
) -> None:
    config = {"model_type": kind, "rope_parameters": positions}

    assert says in str(positions_problem(config))
    assert says in str(positions_problem({"model_type": "wrapper", "text_config": config}))
