"""PEFT exports: PEFT's names, orientation and alpha, and back again without a difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import pytest
from mlx_lm.utils import load_model

from backend.adapters.peft import peft_layout
from backend.contract.inference_frames import AdapterSpec
from backend.engines.export.peft_format import peft_config
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import attach
from backend.engines.process.endings import Unusable
from backend.models.safetensors_headers import read_weights
from tests.engines.architectures import CONFIGS, make_full, make_model, spec_of
from tests.engines.export.exporting import Smoke, adapter_of, request, result, run

pytestmark = pytest.mark.engine
TOKENS = mx.array([[3, 5, 8, 13, 21]])


def with_spec(model: Path, spec: AdapterSpec) -> mx.array:
    network, _ = load_model(model)
    attach(network, load_adapter(spec))
    return cast("mx.array", network(TOKENS))


@pytest.mark.parametrize(
    ("changed", "smoke"),
    [
        ({"rank": 3, "scale": 2.5}, "fresh"),
        ({"layers": 1, "keys": ["self_attn.q_proj", "self_attn.v_proj"]}, "here"),
        ({"dora": True}, "here"),
        ({"keys": ["self_attn.q_proj", "embed_tokens"]}, "here"),
    ],
)
def test_a_peft_export_says_the_same_when_it_is_taken_in_again(
    tmp_path: Path, tiny_model: Path, changed: dict[str, Any], smoke: Smoke
) -> None:
    adapter = adapter_of(tmp_path, tiny_model, **changed)

    run(tmp_path, request(tmp_path, tiny_model, adapter, format="peft"), smoke=smoke)

    output = tmp_path / "exports" / "mine"
    config = json.loads((output / "adapter_config.json").read_text())
    file = output / "adapter_model.safetensors"
    layout = peft_layout(config, read_weights([file]).tensors)
    spec = dict(spec_of(adapter)) | {
        "key": "back",
        "file": str(file),
        "scale": layout.scale,
        "scales": dict(layout.scales),
        "names": {old: list(new) for old, new in layout.names.items()},
    }
    expected = with_spec(tiny_model, spec_of(adapter))
    assert mx.allclose(with_spec(tiny_model, spec), expected, atol=1e-5).item()
    assert config["use_rslora"] is False
    assert config["lora_alpha"] == changed.get("scale", 2.0) * changed.get("rank", 4)
    assert result(tmp_path).smoke.text is not None


def test_layers_and_names_are_said_as_shortly_as_is_exact() -> None:
    names = [f"model.layers.{n}.self_attn.{leaf}" for n in (2, 3) for leaf in ("q_proj", "v_proj")]

    some = peft_config(dict.fromkeys(names, 4), dict.fromkeys(names, 2.0), depth=4, base="b")
    odd = peft_config(dict.fromkeys(names[1:], 4), dict.fromkeys(names, 2.0), depth=4, base="b")
    ranks = dict(zip(names, (4, 4, 8, 4), strict=True))
    mixed = peft_config(ranks, dict.fromkeys(names, 2.0), depth=2, base="b")

    assert (some["target_modules"], some["layers_to_transform"]) == (["q_proj", "v_proj"], [2, 3])
    assert (odd["target_modules"], odd["layers_to_transform"]) == (sorted(names[1:]), None)
    assert mixed["rank_pattern"] == {names[2]: 8}
    assert mixed["alpha_pattern"] == {names[2]: 16.0}


@pytest.mark.parametrize(
    ("architecture", "keys", "reason"),
    [
        ("mixtral", ["block_sparse_moe.switch_mlp.up_proj"], "several matrices in one"),
        ("gpt2", ["attn.c_attn"], "named otherwise"),
    ],
)
def test_what_peft_has_no_place_for_is_refused(
    tmp_path: Path, architecture: str, keys: list[str], reason: str
) -> None:
    model = make_model(tmp_path / "model", CONFIGS[architecture])
    adapter = adapter_of(tmp_path, model, keys=keys)

    with pytest.raises(Unusable, match=reason):
        run(tmp_path, request(tmp_path, model, adapter, format="peft"))

    assert list((tmp_path / "exports").iterdir()) == []


def test_a_full_fine_tune_is_refused(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", CONFIGS["llama"])
    adapter = make_full(tmp_path / "full", model)

    with pytest.raises(Unusable, match="full fine-tune"):
        run(tmp_path, request(tmp_path, model, adapter, format="peft"))
