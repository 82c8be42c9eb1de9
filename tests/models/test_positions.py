from __future__ import annotations

from typing import Any

import pytest

from backend.models.checks import scaled_context

YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0}
LOCAL = {"rope_type": "default", "rope_theta": 10000.0}


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
