from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx_lm.tuner.utils import linear_to_lora_layers, load_adapters
from mlx_lm.utils import load_model

from backend.adapters.peft import peft_layout
from backend.engines.inference.adapter_cache import Shelf
from backend.engines.inference.adapter_swap import adapter_modules, attach, module_place, strip
from backend.engines.inference.protocol import QuestionRefused
from backend.models.safetensors_headers import read_weights
from tests.engines.architectures import CONFIGS, make_adapter, make_model, spec_of, weights_of

pytestmark = pytest.mark.engine

EMBEDDED = {"keys": ["model.embed_tokens", "self_attn.q_proj", "mlp.down_proj"]}
# Architecture, bits of the base, and the adapters that follow each other on it.
CASES: dict[str, tuple[str, int | None, list[dict[str, Any]]]] = {
    "qwen2": ("qwen2", None, [{}, {"dora": True, "rank": 8}, {"layers": 1, "rank": 2}, EMBEDDED]),
    "llama, output layer too": (
        "llama", None, [{}, {"keys": ["lm_head", "mlp.up_proj"]}, EMBEDDED | {"dora": True}]
    ),
    "experts": (
        "mixtral", None,
        [{}, {"keys": ["block_sparse_moe.switch_mlp.up_proj"]}, {"keys": ["self_attn.v_proj"]}],
    ),
    "fused query, key and value": ("phi3", None, [{}, {"dora": True}, {"layers": 1}]),
    "gpt2": ("gpt2", None, [{}, {"dora": True, "keys": ["attn.c_attn"]}]),
    "LoRA modules of its own": ("afm7", None, [{}, {"rank": 8, "layers": 1}]),
    "4-bit": ("qwen2", 4, [{}, {"dora": True, "keys": ["self_attn.q_proj"]}, EMBEDDED]),
    "8-bit experts": ("mixtral", 8, [{}, {"rank": 2}]),
}  # fmt: skip


def logits(model: nn.Module) -> mx.array:
    out: mx.array = model(mx.array([[3, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]]))
    mx.eval(out)
    return out


def fresh(model: Path, adapter: Path | None) -> mx.array:
    loaded, _ = load_model(model)
    if adapter is None:
        return logits(loaded)
    weights = weights_of(adapter)
    if any(name.endswith(".lora_a.0") for name in weights):
        # The engine's loader (mlx-lm 0.32.2) refuses what it has saved for a list of pairs.
        config = json.loads((adapter / "adapter_config.json").read_text())
        linear_to_lora_layers(loaded, config["num_layers"], config["lora_parameters"])
        loaded.load_weights(list(weights.items()), strict=False)
    else:
        load_adapters(loaded, str(adapter))
    loaded.eval()
    return logits(loaded)


@pytest.mark.parametrize("case", CASES)
def test_after_every_swap_the_logits_are_those_of_a_fresh_load(case: str, tmp_path: Path) -> None:
    architecture, bits, options = CASES[case]
    base = make_model(tmp_path / "base", CONFIGS[architecture], bits=bits)
    adapters = [
        make_adapter(tmp_path / f"adapter-{number}", base, seed=number, **option)
        for number, option in enumerate(options)
    ]
    expected = {path: fresh(base, path) for path in [None, *adapters]}
    resident, _ = load_model(base)
    shelf = Shelf(budget=1 << 30)

    for step in [*adapters, None, *reversed(adapters), *adapters, None]:
        strip(resident)
        if step is not None:
            attach(resident, shelf.take(spec_of(step)))
        assert mx.array_equal(logits(resident), expected[step]), f"{step} differs"

    assert not list(adapter_modules(resident))
    told_apart = list(expected.values())
    assert not any(mx.array_equal(told_apart[0], other) for other in told_apart[1:])


def test_an_imported_peft_adapter_answers_as_the_engines_own(tmp_path: Path) -> None:
    base = make_model(tmp_path / "base", CONFIGS["llama"])
    own = make_adapter(tmp_path / "own", base, rank=4, scale=2.0, keys=EMBEDDED["keys"])
    foreign: dict[str, mx.array] = {}
    for name, value in weights_of(own).items():
        module, _, part = name.rpartition(".")
        part = {"lora_a": "A", "lora_b": "B"}[part]
        embeds = "embedding_" if "embed" in module else ""
        end = "" if embeds else ".weight"
        foreign[f"base_model.model.{module}.lora_{embeds}{part}{end}"] = mx.contiguous(value.T)
    imported = tmp_path / "imported"
    imported.mkdir()
    file = imported / "adapter_model.safetensors"
    mx.save_safetensors(str(file), foreign)
    layout = peft_layout(
        {"peft_type": "LORA", "lora_alpha": 8}, read_weights([file]).tensors
    )  # fmt: skip
    spec = {
        "key": "imported", "name": "imported", "file": str(file), "kind": "lora",
        "scale": layout.scale, "scales": {}, "names": layout.names,
    }  # fmt: skip
    resident, _ = load_model(base)

    attach(resident, Shelf(1 << 30).take(spec))

    assert mx.array_equal(logits(resident), fresh(base, own))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("swap") / "base", CONFIGS["qwen2"])


@pytest.fixture
def resident(base: Path) -> Iterator[nn.Module]:
    model, _ = load_model(base)
    yield model


def test_an_adapter_of_another_shape_is_refused_and_the_base_stays_bare(
    base: Path, resident: nn.Module, tmp_path: Path
) -> None:
    wider = make_model(tmp_path / "wider", CONFIGS["qwen2"] | {"intermediate_size": 128})
    adapter = make_adapter(tmp_path / "of-wider", wider)

    with pytest.raises(
        QuestionRefused, match=r"lora_a has the shape \(128, 4\), and \(96, 4\) would fit"
    ):
        attach(resident, Shelf(1 << 30).take(spec_of(adapter)))

    assert mx.array_equal(logits(resident), fresh(base, None))


def test_an_adapter_of_a_deeper_model_is_refused(resident: nn.Module, tmp_path: Path) -> None:
    deeper = make_model(tmp_path / "deeper", CONFIGS["qwen2"] | {"num_hidden_layers": 3})
    adapter = make_adapter(tmp_path / "of-deeper", deeper)

    with pytest.raises(QuestionRefused, match=r"layers\.2.* is no module of the model"):
        attach(resident, Shelf(1 << 30).take(spec_of(adapter)))


def test_an_adapter_that_is_cut_short_or_not_finite_is_refused(base: Path, tmp_path: Path) -> None:
    whole = make_adapter(tmp_path / "whole", base)
    cut = make_adapter(tmp_path / "cut", base)
    file = cut / "adapters.safetensors"
    file.write_bytes(file.read_bytes()[:-400])
    lost = make_adapter(tmp_path / "lost", base)
    weights = weights_of(lost)
    name = next(iter(weights))
    weights[name] = weights[name] * float("nan")
    mx.save_safetensors(str(lost / "adapters.safetensors"), weights)
    shelf = Shelf(1 << 30)

    with pytest.raises(QuestionRefused, match="damaged or not whole"):
        shelf.take(spec_of(cut))
    with pytest.raises(QuestionRefused, match="NaN or infinity in 1 of"):
        shelf.take(spec_of(lost))

    assert shelf.take(spec_of(whole)).nbytes > 0


def test_an_adapter_that_was_removed_meanwhile_is_told_as_such(base: Path, tmp_path: Path) -> None:
    removed = make_adapter(tmp_path / "removed", base)
    spec = spec_of(removed)
    (removed / "adapters.safetensors").rename(tmp_path / "elsewhere")

    with pytest.raises(QuestionRefused, match=r"adapters\.safetensors is not there any more"):
        Shelf(1 << 30).take(spec)


def test_weights_that_are_only_large_are_taken(base: Path, tmp_path: Path) -> None:
    large = make_adapter(tmp_path / "large", base)
    huge = {name: mx.full(value.shape, 3e38) for name, value in weights_of(large).items()}
    mx.save_safetensors(str(large / "adapters.safetensors"), huge)

    assert Shelf(1 << 30).take(spec_of(large)).nbytes > 0  # Though their sum is infinite.


def test_the_shelf_keeps_what_was_used_last_within_its_bound(base: Path, tmp_path: Path) -> None:
    adapters = [make_adapter(tmp_path / name, base) for name in ("one", "two", "three")]
    shelf = Shelf(budget=0)
    size = shelf.take(spec_of(adapters[0])).nbytes
    roomy = Shelf(budget=2 * size)

    for path in (adapters[0], adapters[1], adapters[0], adapters[2]):
        roomy.take(spec_of(path))

    assert shelf.names == ["one"]  # The one in use stays, whatever its size.
    assert roomy.names == ["one", "three"]
    assert roomy.nbytes == 2 * size


@pytest.mark.parametrize("at", ["language_model.model.", "model.language_model.", "model."])
@pytest.mark.parametrize(
    "written", ["language_model.model.", "model.language_model.", "model.", "model.text_model."]
)
def test_a_wrapped_text_model_is_found_under_each_spelling(at: str, written: str) -> None:
    modules = {f"{at}layers.{n}.mlp.up_proj": nn.Module() for n in range(2)}
    modules["vision_tower.model.layers.0.mlp.up_proj"] = nn.Module()

    found = module_place(f"{written}layers.0.mlp.up_proj", modules, loose=True)

    assert found == f"{at}layers.0.mlp.up_proj"
