"""The format peft: an adapter as PEFT reads it, `adapter_config.json` beside its weights.

The engine keeps A as (inputs, rank) and B as (rank, outputs) and multiplies by a scale; PEFT keeps
both turned over and multiplies by lora_alpha / r.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn

from backend.contract.export.request import ExportRequest
from backend.contract.run.folder import ADAPTER_CONFIG
from backend.core.disk.files import write_json
from backend.engines.export.merged_format import ProgressReport, Written
from backend.engines.export.model_folder import (
    copy_tokenizer,
    stop_tokens,
    write_about,
    write_config,
)
from backend.engines.export.tensor_files import Stopped, write_tensors
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import adapted, attach
from backend.engines.process.endings import Unusable
from backend.engines.weights.base import load_network

FILE = "adapter_model.safetensors"
_PREFIX = "base_model.model."
# As transformers names them too; other models are renamed when the engine loads them.
_SHARED_NAME = re.compile(
    r"model\.layers\.(?P<layer>\d+)\.(?P<leaf>.+)|model\.embed_tokens|lm_head"
)


def write_peft(
    request: ExportRequest, staging: Path, progress: ProgressReport, stopped: Callable[[], bool]
) -> Written:
    """Write the adapter folder. Raises Stopped, Refused and Unusable."""
    if request.adapter is None:
        raise Unusable("There is no adapter to export as PEFT.", "Choose an adapter.")
    source = Path(request.model)
    network, config = load_network(source, lazy=True)
    modules = _modules(network, request.adapter, str(config.get("model_type")))
    ranks = {name: module.lora_a.shape[-1] for name, module in modules.items()}
    scales = {name: float(module.scale) for name, module in modules.items()}
    tensors = {
        f"{_PREFIX}{name}.{part}": value
        for name, module in modules.items()
        for part, value in _tensors(module).items()
    }
    total, done = len(tensors), 0

    def each(_name: str, _value: mx.array) -> None:
        nonlocal done
        if stopped():
            raise Stopped
        done += 1
        progress(done, total)

    write_tensors(staging / FILE, tensors, {"format": "pt"}, each)
    name = str(request.base.get("name") or source.name)
    adapter_config = peft_config(ranks, scales, depth=len(network.layers), base=name)
    adapter_config["use_dora"] = any("m" in module for module in modules.values())
    write_json(staging / ADAPTER_CONFIG, adapter_config)
    write_config(source, staging, None, stop_tokens(source))
    copy_tokenizer(source, staging)
    write_about(
        request, staging, {"rank": adapter_config["r"], "lora_alpha": adapter_config["lora_alpha"]}
    )
    return Written(merged_modules=0)


def peft_config(
    ranks: Mapping[str, int], scales: Mapping[str, float], *, depth: int, base: str
) -> dict[str, Any]:
    """`adapter_config.json` of an adapter with these modules. lora_alpha is scale · rank."""
    rank = Counter(ranks.values()).most_common(1)[0][0]
    alphas = {name: scales[name] * rank for name, rank in ranks.items()}
    alpha = Counter(alphas.values()).most_common(1)[0][0]
    targets, layers = _targets(list(ranks), depth)
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "target_modules": targets,
        "layers_to_transform": layers,
        "rank_pattern": {name: own for name, own in ranks.items() if own != rank},
        "alpha_pattern": {name: own for name, own in alphas.items() if own != alpha},
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_rslora": False,
    }


def _targets(names: list[str], depth: int) -> tuple[list[str], list[int] | None]:
    """Which modules have an adapter: by the end of their names in some layers, where that says it
    exactly, else by their whole names.
    """
    matches = [_SHARED_NAME.fullmatch(name) for name in names]
    at = [(int(m["layer"]), m["leaf"].rpartition(".")[2]) for m in matches if m and m["layer"]]
    layers, leaves = sorted({layer for layer, _ in at}), sorted({leaf for _, leaf in at})
    if len(at) != len(names) or len(at) != len(layers) * len(leaves):
        return sorted(names), None
    return leaves, layers if len(layers) < depth else None


def _modules(network: nn.Module, spec: Mapping[str, Any], model_type: str) -> dict[str, Any]:
    adapter = load_adapter(dict(spec))
    if adapter.kind == "full":
        raise Unusable(
            f"{adapter.name} is a full fine-tune: PEFT holds changes of low rank only.",
            "Export it as merged.",
        )
    attach(network, adapter)
    modules: dict[str, Any] = dict(adapted(network))
    for name, module in modules.items():
        if not isinstance(module.lora_a, mx.array) or module.lora_a.ndim != 2:
            raise Unusable(
                f"{name} holds several matrices in one, as those of experts, which PEFT can't take "
                "over.",
                "Export it as merged.",
            )
        if not _SHARED_NAME.fullmatch(name):
            raise Unusable(
                f"{name} is another matrix in transformers' {model_type}, or named otherwise.",
                "Export it as merged.",
            )
    return modules


def _tensors(module: Any) -> dict[str, mx.array]:
    pair = ("lora_A.weight", "lora_B.weight")
    if "embedding" in module:
        pair = ("lora_embedding_A", "lora_embedding_B")
    parts = {pair[0]: module.lora_a.T, pair[1]: module.lora_b.T}
    return parts | ({"lora_magnitude_vector": module.m} if "m" in module else {})
