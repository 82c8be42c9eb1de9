"""Real PEFT and transformers on CPU PyTorch: logits within 1e-4 of MLX's, both directions."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.utils import load_model

from backend.adapters.peft import peft_layout
from backend.contract.inference_frames import AdapterSpec
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import attach
from backend.models.safetensors_headers import read_weights
from tests.engines.architectures import CONFIGS, make_adapter, make_model, spec_of
from tests.engines.export.exporting import KEYS, request
from tests.engines.tiny_model import write_tokenizer
from tests.exports.conftest import Record

pytestmark = pytest.mark.exports
TOKENS = [[3, 5, 8, 13, 21, 34, 55]]
CLOSE = 1e-4
_NAMES = {"qwen2": "Qwen2ForCausalLM", "llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}
ATTENTION = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]


def base_model(folder: Path, name: str) -> Path:
    """A random model that transformers and MLX both load."""
    head = {"head_dim": 16} if name == "qwen3" else {}
    shape = CONFIGS["llama" if name == "llama" else "qwen2"] | head
    size = write_tokenizer(folder)
    config = shape | {"model_type": name, "architectures": [_NAMES[name]], "vocab_size": size}
    return make_model(folder, config | {"eos_token_id": size - 1})


def mlx_logits(model: Path, spec: AdapterSpec | None) -> np.ndarray[Any, Any]:
    network, _ = load_model(model)
    if spec is not None:
        attach(network, load_adapter(spec))
    return np.array(network(mx.array(TOKENS)).astype(mx.float32))


def torch_logits(model: Path, adapter: Path | None) -> np.ndarray[Any, Any]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    network: Any = AutoModelForCausalLM.from_pretrained(str(model), dtype=torch.float32)
    if adapter is not None:
        network = PeftModel.from_pretrained(network, str(adapter))
    network.eval()
    with torch.no_grad():
        return cast("np.ndarray[Any, Any]", network(torch.tensor(TOKENS)).logits.numpy())


def programs() -> str:
    names = (("peft", "PEFT"), ("transformers", "transformers"), ("torch", "torch"))
    return ", ".join(f"{shown} {version(name).partition('+')[0]}" for name, shown in names)


@pytest.mark.parametrize(
    ("name", "what", "changed"),
    [
        ("qwen2", "LoRA", {}),
        ("llama", "LoRA", {"rank": 3, "scale": 0.7}),
        ("qwen3", "LoRA", {}),
        ("llama", "LoRA, attention only", {"keys": ATTENTION}),
        ("qwen2", "LoRA, last layer only", {"layers": 1}),
        ("qwen3", "DoRA", {"dora": True}),
        ("llama", "LoRA on the embedding", {"keys": ["self_attn.q_proj", "embed_tokens"]}),
    ],
)
def test_peft_says_what_mlx_says_with_an_exported_adapter(
    tmp_path: Path, record: Record, run_export: Any, name: str, what: str, changed: dict[str, Any]
) -> None:
    model = base_model(tmp_path / "model", name)
    adapter = make_adapter(tmp_path / "adapter", model, **{"keys": KEYS, **changed})

    run_export(request(tmp_path, model, adapter, format="peft"))

    expected = mlx_logits(model, spec_of(adapter))
    found = torch_logits(model, tmp_path / "exports" / "mine")
    worst = float(np.abs(found - expected).max())
    assert np.abs(expected - mlx_logits(model, None)).max() > 100 * CLOSE
    record("peft", programs(), name, f"{what}: logits", f"within {worst:.1e}")
    assert worst < CLOSE


@pytest.mark.parametrize("name", ["qwen2", "llama", "qwen3"])
def test_transformers_says_what_mlx_says_with_a_merged_export(
    tmp_path: Path, record: Record, run_export: Any, name: str
) -> None:
    model = base_model(tmp_path / "model", name)
    adapter = make_adapter(tmp_path / "adapter", model, keys=KEYS)

    run_export(request(tmp_path, model, adapter))

    expected = mlx_logits(model, spec_of(adapter))
    worst = float(np.abs(torch_logits(tmp_path / "exports" / "mine", None) - expected).max())
    program = f"transformers {version('transformers')}"
    record(
        "merged", program, name, "merged against base with adapter: logits", f"within {worst:.1e}"
    )
    assert worst < CLOSE


@pytest.mark.parametrize(
    ("name", "what", "changed"),
    [
        ("qwen2", "LoRA", {}),
        ("llama", "rsLoRA", {"use_rslora": True, "r": 8}),
        ("qwen3", "layer subset", {"layers_to_transform": [1]}),
        ("llama", "attention only", {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}),
        ("qwen2", "rank and alpha patterns", {
            "rank_pattern": {"up_proj": 2}, "alpha_pattern": {"layers.0.self_attn.q_proj": 3},
        }),
        ("qwen3", "DoRA", {"use_dora": True}),
        ("llama", "embedding", {"target_modules": ["q_proj", "embed_tokens"]}),
    ],
)  # fmt: skip
def test_mlx_says_what_peft_says_with_an_imported_adapter(
    tmp_path: Path, record: Record, name: str, what: str, changed: dict[str, Any]
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = base_model(tmp_path / "model", name)
    network: Any = AutoModelForCausalLM.from_pretrained(str(model), dtype=torch.float32)
    targets = ["q_proj", "v_proj", "up_proj", "down_proj"]
    fields = {"r": 4, "lora_alpha": 6, "target_modules": targets, **changed}
    adapted = get_peft_model(network, LoraConfig(task_type="CAUSAL_LM", **fields))
    torch.manual_seed(3)
    for key, value in adapted.named_parameters():
        if "lora_" in key and "magnitude" not in key:
            torch.nn.init.normal_(value, std=0.2)
    adapted.save_pretrained(str(tmp_path / "peft"))
    # DoRA keeps the magnitude of the unchanged base, as after a first step.
    expected = torch_logits(model, tmp_path / "peft")

    file = tmp_path / "peft" / "adapter_model.safetensors"
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    layout = peft_layout(config, read_weights([file]).tensors)
    spec = {
        "key": "imported",
        "name": "imported",
        "file": str(file),
        "kind": "lora",
        "scale": layout.scale,
        "scales": dict(layout.scales),
        "names": {old: list(new) for old, new in layout.names.items()},
    }
    worst = float(np.abs(mlx_logits(model, spec) - expected).max())
    assert np.abs(expected - mlx_logits(model, None)).max() > 100 * CLOSE
    record("peft import", programs(), name, f"{what}: logits", f"within {worst:.1e}")
    assert worst < CLOSE
