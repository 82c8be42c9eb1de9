"""A base saved by transformers 5 is the same network as one that says its positions on top."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx_lm.utils import load_model

from backend.engines.export.model_folder import write_config
from backend.engines.inference.resident_model import Resident
from backend.engines.weights.base import changes_for_mlx, load, load_network
from tests.engines.architectures import CONFIGS, make_model
from tests.engines.tiny_model import build_tiny_model

pytestmark = pytest.mark.engine
ENGINES = Path(__file__).parents[3] / "backend" / "engines"
TOKENS = mx.array([[3, 5, 8, 13, 21, 34, 55]])
THETA = 50.0
# Every one of them reads the top of the configuration only, but for qwen3, which reads both.
ARCHITECTURES = ("llama", "qwen2", "mixtral", "phi3", "qwen3", "gpt_neox", "gemma3_text")
GEMMA = {"head_dim": 16, "sliding_window": 4, "sliding_window_pattern": 2}
NEOX = {"num_attention_heads": 4, "layer_norm_eps": 1e-5, "use_parallel_residual": True}
SCALING = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def logits(network: nn.Module) -> mx.array:
    found: mx.array = network(TOKENS)
    return found


def flat(kind: str) -> dict[str, Any]:
    """As everybody wrote it before."""
    base = {**CONFIGS["llama"], **CONFIGS.get(kind, {}), "model_type": kind, "rope_theta": THETA}
    if kind == "gemma3_text":
        return {**base, **GEMMA, "rope_local_base_freq": 7.0}
    if kind == "gpt_neox":
        del base["rope_theta"]
        return {**base, **NEOX, "rotary_emb_base": 50, "rotary_pct": 0.5}
    return {**base, "head_dim": 16} if kind == "qwen3" else base


def nested(kind: str) -> dict[str, Any]:
    """As transformers 5 writes it."""
    config = flat(kind)
    positions: dict[str, Any] = {"rope_type": "default", "rope_theta": THETA}
    config.pop("rope_theta", None)
    if kind == "gemma3_text":
        local = {"rope_type": "default", "rope_theta": config.pop("rope_local_base_freq")}
        positions = {"full_attention": positions, "sliding_attention": local}
    if kind == "gpt_neox":
        config.pop("rotary_emb_base")
        positions["partial_rotary_factor"] = config.pop("rotary_pct")
    return {**config, "rope_parameters": positions}


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_positions_that_transformers_5_nests_make_the_same_network(
    kind: str, tmp_path: Path
) -> None:
    folder = make_model(tmp_path / kind, flat(kind))
    right = logits(load_network(folder)[0])
    (folder / "config.json").write_text(json.dumps(nested(kind)))

    network, _ = load_network(folder)

    assert mx.array_equal(logits(network), right)


def test_scaling_and_the_text_part_of_a_vision_model_are_read_as_well() -> None:
    positions = {"rope_theta": THETA, **SCALING}
    made = changes_for_mlx({"text_config": {"hidden_size": 8, "rope_parameters": positions}})

    text = made["text_config"]
    assert (text["rope_theta"], text["hidden_size"]) == (THETA, 8)
    assert text["rope_scaling"] == {**SCALING, "type": "yarn"}
    assert changes_for_mlx({"rope_theta": 9.0, "rope_parameters": positions})["rope_scaling"]
    assert "rope_theta" not in changes_for_mlx({"rope_theta": 9.0, "rope_parameters": positions})


def test_training_answering_and_plain_mlx_of_an_export_agree(tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "tiny")
    path = folder / "config.json"
    config = json.loads(path.read_text()) | {"rope_theta": THETA}
    path.write_text(json.dumps(config))
    right = logits(load_model(folder)[0])
    del config["rope_theta"]
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": THETA}
    path.write_text(json.dumps(config))
    assert not mx.allclose(logits(load_model(folder)[0]), right, atol=1e-5)

    trained, _ = load(str(folder))
    answering = Resident(folder)
    exported = tmp_path / "exported"
    exported.mkdir()
    write_config(folder, exported, None, [])
    (exported / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())

    assert mx.array_equal(logits(trained), right)
    assert mx.array_equal(logits(answering.model), right)
    assert mx.array_equal(logits(load_model(exported)[0]), right)


def test_no_engine_loads_a_base_past_it() -> None:
    past = re.compile(r"from mlx_lm(?:\.utils)? import [^\n]*\bload(?:_model)?\b")
    found = {
        str(path.relative_to(ENGINES))
        for path in ENGINES.rglob("*.py")
        if past.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"export/smoke.py"}, "the smoke test reads an export as plain mlx_lm does"
