"""Models over HTTP: their facts, and what LoRA can attach to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backend.core import process
from backend.training import lora_keys
from tests.api.live import Live
from tests.catalog.folders import model_folder

TREE = {
    "architecture": "qwen2",
    "num_layers": 1,
    "others": [],
    "parameters": 100,
    "block_parameters": [60],
    "modules": [
        {"layer": 0, "name": "self_attn.k_proj", "inputs": 8, "outputs": 4, "copies": 1},
    ],
}


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def answer(*_: Any, **__: Any) -> process.CompletedChild:
        return process.CompletedChild(0, json.dumps(TREE).encode(), "")

    monkeypatch.setattr(lora_keys, "run_child", answer)
    monkeypatch.setattr(lora_keys, "engine_environment", lambda _: {})
    yield


@pytest.mark.usefixtures("tree")
def test_a_matrix_has_its_sizes_under_the_names_of_the_contract(live: Live) -> None:
    model_folder(live.settings.data_dir / "models" / "listed")

    for _ in range(2):  # Worked out, then from what was kept.
        (key,) = live.client.get("/models/listed/lora").json()["keys"]
        assert {name: key[name] for name in ("name", "group", "modules", "in", "out")} == {
            "name": "self_attn.k_proj",
            "group": "attention",
            "modules": 1,
            "in": 8,
            "out": 4,
        }
        assert not {"inputs", "outputs"} & set(key)
