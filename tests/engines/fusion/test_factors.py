"""Fused adapters on real models: the outputs are those of the summed changes."""

from __future__ import annotations

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.utils import load_model

from backend.engines.fusion.factors import adapter_weights, read_changes
from backend.engines.fusion.merge import MergeSettings, merge, zero_like
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import Adapter, attach, strip
from backend.engines.process.endings import Unusable
from tests.engines.architectures import CONFIGS, make_adapter, make_model, spec_of

pytestmark = pytest.mark.engine
TOKENS = mx.array([[3, 5, 8, 13, 21]])


def loaded(folder: Path) -> Adapter:
    return load_adapter(spec_of(folder))


def fused(adapters: list[Adapter], weights: tuple[float, ...]) -> Adapter:
    changes = [read_changes(adapter) for adapter in adapters]
    modules = {name: one for each in changes for name, one in each.items()}
    settings = MergeSettings(method="weighted", weights=weights)
    merged = {
        name: merge([each.get(name, zero_like(one)) for each in changes], settings)[0]
        for name, one in modules.items()
    }
    return Adapter(
        key="fused", name="fused", kind="lora", weights=adapter_weights(merged), scale=1.0
    )


@pytest.mark.parametrize("architecture", ["qwen2", "mixtral"])
def test_one_adapter_alone_fuses_to_itself(architecture: str, tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", CONFIGS[architecture])
    model, _ = load_model(folder)
    adapter = loaded(make_adapter(tmp_path / "one", folder, rank=3, scale=5.0))

    attach(model, adapter)
    direct = model(TOKENS)
    strip(model)
    attach(model, fused([adapter], (1.0,)))

    assert mx.allclose(model(TOKENS), direct, atol=1e-4).item()


def test_ranks_scales_keys_and_layers_may_differ(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", CONFIGS["llama"])
    first = loaded(make_adapter(tmp_path / "a", folder, rank=2, scale=3.0, layers=1))
    keys = ["self_attn.q_proj", "mlp.down_proj"]
    second = loaded(make_adapter(tmp_path / "b", folder, rank=5, scale=0.5, keys=keys, seed=2))

    whole = fused([first, second], (0.7, 0.3))

    dense = {name: one.dense() for name, one in read_changes(whole).items()}
    for module in dense:
        direct = sum(
            weight * changes[module].dense()
            for weight, changes in ((0.7, read_changes(first)), (0.3, read_changes(second)))
            if module in changes
        )
        np.testing.assert_allclose(dense[module], direct, atol=1e-5)
    assert {value.shape[-1] for name, value in whole.weights.items() if name.endswith("a")} == {7}


def test_dora_is_refused_with_the_reason(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", CONFIGS["llama"])
    adapter = loaded(make_adapter(tmp_path / "dora", folder, dora=True))

    with pytest.raises(Unusable, match=r"dora is a DoRA adapter: it rescales every matrix"):
        read_changes(adapter)


def test_a_full_fine_tune_is_refused_with_the_reason() -> None:
    adapter = Adapter(key="f", name="whole", kind="full", weights=json.loads("{}"))

    with pytest.raises(Unusable, match=r"whole is a full fine-tune"):
        read_changes(adapter)
