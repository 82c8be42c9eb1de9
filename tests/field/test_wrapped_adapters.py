"""Adapters of a wrapped text model, imported and asked: every spelling is the same modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.field.models import build
from tests.service.server import Server, running_server

pytestmark = pytest.mark.engine

# Where the modules stand, and what PEFT writes behind the name of a matrix.
WRITTEN = (
    ("base_model.model.language_model.model", ".weight"),
    ("base_model.model.model", ".weight"),
    ("base_model.model.model.language_model", ".weight"),
    ("base_model.model.model.language_model", ".default.weight"),
    ("model.language_model", ".weight"),
    ("language_model.model", ".weight"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("field")
    with running_server(root / "data root", env={"OPENBLAS_NUM_THREADS": "1"}) as running:
        yield running


def test_an_adapter_of_each_wrapper_answers_alike(server: Server, tmp_path: Path) -> None:
    model = build("gemma3", tmp_path / "gemma3")
    for at, (modules, end) in enumerate(WRITTEN):
        _write_peft(tmp_path / f"peft-{at}", model, modules, end)
        server.post("/adapters/import", {"path": str(tmp_path / f"peft-{at}"), "name": f"wrap{at}"})

    ask = {"model_name": str(model), "prompt": "where is it", "max_tokens": 12, "temperature": 0}
    base = server.post("/models/inference", ask)["response"]
    texts = [
        server.post("/models/inference", {**ask, "adapter_name": f"wrap{at}"})["response"]
        for at in range(len(WRITTEN))
    ]

    assert len(set(texts)) == 1
    assert texts[0] != base


def _write_peft(folder: Path, model: Path, modules: str, end: str) -> None:
    chance = np.random.default_rng(3)
    folder.mkdir()
    tensors = {}
    for layer in range(2):
        at = f"{modules}.layers.{layer}.mlp.up_proj"
        tensors[f"{at}.lora_A{end}"] = chance.normal(0, 1, (2, 16)).astype(np.float32)
        tensors[f"{at}.lora_B{end}"] = chance.normal(0, 1, (24, 2)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 64, "base_model_name_or_path": str(model)}
    (folder / "adapter_config.json").write_text(json.dumps(config))
