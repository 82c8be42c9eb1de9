"""Merged exports: plain mlx_lm loads them, and they say what base and adapter said together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import pytest
from mlx import nn
from mlx_lm.convert import convert
from mlx_lm.utils import load_model

from backend.engines.export.merging import merged_model
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import attach, overwrite
from backend.engines.inference.protocol import QuestionRefused
from backend.engines.process.endings import Unusable
from backend.engines.process.signals import Control
from tests.engines.architectures import CONFIGS, make_adapter, make_full, make_model, spec_of
from tests.engines.export.exporting import adapter_of, request, result, run

pytestmark = pytest.mark.engine
TOKENS = mx.array([[3, 5, 8, 13, 21]])


def together(model: Path, adapter: Path) -> mx.array:
    network, _ = load_model(model)
    loaded = load_adapter(spec_of(adapter))
    if loaded.kind == "full":
        overwrite(network, loaded)
    else:
        attach(network, loaded)
    return cast("mx.array", network(TOKENS))


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_merged_export_loads_in_plain_mlx_lm_and_answers_as_base_and_adapter(
    tmp_path: Path, tiny_model: Path
) -> None:
    adapter = adapter_of(tmp_path, tiny_model, scale=3.0)
    before = files_of(tiny_model) | files_of(adapter)

    ending = run(tmp_path, request(tmp_path, tiny_model, adapter, settings={"rank": 4}))

    assert ending.state == "completed"
    output = tmp_path / "exports" / "mine"
    network, config = load_model(output)
    assert mx.allclose(network(TOKENS), together(tiny_model, adapter), atol=1e-5).item()
    assert "quantization" not in config
    found = result(tmp_path)
    assert found.smoke.tokens > 0
    assert found.smoke.text is not None
    assert found.merged_modules == 14
    names = {file.name for file in found.files}
    assert {"config.json", "generation_config.json", "tokenizer.json", "README.md"} <= names
    template = json.loads((output / "tokenizer_config.json").read_text())["chat_template"]
    assert "<|im_start|>" in template
    assert "base model" in (output / "README.md").read_text()
    assert json.loads((output / "droid.json").read_text())["adapter"]["name"] == "adapter"
    assert files_of(tiny_model) | files_of(adapter) == before
    assert list((tmp_path / "exports").iterdir()) == [output]


@pytest.mark.parametrize(
    ("architecture", "changed"),
    [
        ("llama", {"dora": True}),
        ("mixtral", {}),
        ("phi3", {"keys": None}),
        ("gpt2", {"keys": None}),
        ("qwen2", {"keys": ["self_attn.q_proj", "embed_tokens"]}),
    ],
)
def test_every_kind_of_module_is_merged_exactly(
    tmp_path: Path, architecture: str, changed: dict[str, Any]
) -> None:
    model = make_model(tmp_path / "model", CONFIGS[architecture])
    adapter = make_adapter(tmp_path / "adapter", model, **changed)

    merged = merged_model(model, spec_of(adapter))

    assert mx.allclose(merged.model(TOKENS), together(model, adapter), atol=1e-4).item()
    assert not [name for name, _ in merged.model.named_modules() if "lora" in name]


def test_a_quantised_base_is_dequantised_and_the_change_is_not_lost(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", CONFIGS["llama"], bits=4)
    adapter = make_adapter(tmp_path / "adapter", model)

    merged = merged_model(model, spec_of(adapter))

    assert mx.allclose(merged.model(TOKENS), together(model, adapter), atol=1e-4).item()
    assert merged.base_bits == 4


def test_a_full_fine_tune_is_taken_whole(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", CONFIGS["llama"])
    adapter = make_full(tmp_path / "full", model)

    merged = merged_model(model, spec_of(adapter))

    assert mx.allclose(merged.model(TOKENS), together(model, adapter), atol=1e-5).item()


def test_a_module_that_cannot_be_merged_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(tmp_path / "model", CONFIGS["afm7"])
    adapter = make_adapter(tmp_path / "adapter", model)
    attached, _ = load_model(model)
    attach(attached, load_adapter(spec_of(adapter)))
    own = {type(m) for _, m in attached.named_modules() if "lora_a" in m} - {nn.Linear}
    for kind in own:
        monkeypatch.delattr(kind, "fuse", raising=False)

    with pytest.raises(Unusable, match="can't merge into its base"):
        merged_model(model, spec_of(adapter))


@pytest.mark.parametrize(
    ("kind", "bits", "recipe"),
    [("merged_q4", 4, "uniform"), ("merged_q4", 4, "mixed_4_6"), ("merged_q8", 8, "uniform")],
)
def test_a_quantised_export_says_how_and_what_is_lost(
    tmp_path: Path, tiny_model: Path, kind: str, bits: int, recipe: str
) -> None:
    adapter = adapter_of(tmp_path, tiny_model)

    asked = request(tmp_path, tiny_model, adapter, format=kind, recipe=recipe)
    run(tmp_path, asked, smoke="here")

    network, config = load_model(tmp_path / "exports" / "mine")
    found = result(tmp_path).quantisation
    assert found is not None
    assert (config["quantization"]["bits"], found.recipe, found.group_size) == (bits, recipe, 32)
    assert found.program.startswith("mlx_lm ")
    assert found.whole == ("model.layers.0.mlp.down_proj", "model.layers.1.mlp.down_proj")
    assert found.kept_change is not None
    assert found.kept_change > 0.9
    close = 0.02 if bits == 8 else 0.5
    assert mx.allclose(network(TOKENS), together(tiny_model, adapter), atol=close).item()


@pytest.mark.parametrize(("kind", "lost"), [("merged_q4", True), ("merged_q8", False)])
def test_an_adapter_that_rounding_takes_away_again_is_warned_of(
    tmp_path: Path, tiny_model: Path, kind: str, lost: bool
) -> None:
    """On a base of 4 bits every weight lies on the grid that it is rounded to again."""
    quantised = tmp_path / "quantised"
    convert(str(tiny_model), str(quantised), quantize=True, q_bits=4, q_group_size=32)
    adapter = adapter_of(tmp_path, quantised, scale=0.1, rank=1)

    run(tmp_path, request(tmp_path, quantised, adapter, format=kind), smoke="none")

    warnings = result(tmp_path).warnings
    assert any("The base is quantised to 4 bits" in text for text in warnings)
    assert any("rounded away" in text for text in warnings) == lost


def test_an_adapter_of_another_model_is_refused_and_nothing_is_left(
    tmp_path: Path, tiny_model: Path
) -> None:
    other = make_model(tmp_path / "other", CONFIGS["llama"])
    adapter = adapter_of(tmp_path, other)

    with pytest.raises(Unusable, match="does not fit this model"):
        run(tmp_path, request(tmp_path, tiny_model, adapter))

    assert list((tmp_path / "exports").iterdir()) == []


def test_a_stop_between_two_tensors_leaves_nothing(tmp_path: Path, tiny_model: Path) -> None:
    adapter = adapter_of(tmp_path, tiny_model)
    control = Control()
    control.stop = "save"

    ending = run(tmp_path, request(tmp_path, tiny_model, adapter), control)

    assert ending.state == "stopped"
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_damaged_adapter_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    adapter = adapter_of(tmp_path, tiny_model)
    (adapter / "adapters.safetensors").write_bytes(b"nothing")

    with pytest.raises(QuestionRefused, match="damaged"):
        merged_model(tiny_model, spec_of(adapter))
