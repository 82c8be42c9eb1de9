"""What training each well-known base needs: the app's own estimate, of its published configuration.

Pure. Nothing is downloaded, and no network is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from backend.models.known_bases import KNOWN_BASES, KnownBase
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.memory import estimate_memory
from backend.training.lora.groups import build_targets
from backend.training.plan.planner import coverage
from backend.training.request.sft_fields import StandardStart

_WEIGHT_BYTES = 2  # All of them are published in bfloat16.
Verdict = Literal["ok", "tight", "too_large"]


class TrainingMemory(BaseModel):
    """Peak memory in GB, and whether this machine has it; null where its memory is not known."""

    estimate_gb: float
    verdict: Verdict | None


class CatalogBase(BaseModel):
    """A base of the catalogue. `size_bytes` is the download, of its published weights; `lora_4bit`
    trains adapters on a 4-bit copy, `full` all weights, both with Setup's defaults. `here` names it
    among the models of this machine.
    """

    repo_id: str
    good_for: str
    license: str | None
    gated: bool | None
    parameters: int
    size_bytes: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    vocabulary: int
    intermediate: int
    lora_4bit: TrainingMemory
    full: TrainingMemory
    here: str | None


class BaseCatalog(BaseModel):
    """GET /models/catalog. Those that fit come first, the largest of them first; then what is
    tight, then what is too large, the smallest first. `available_gb` is what a run may use.
    """

    bases: list[CatalogBase]
    available_gb: float | None


def base_catalog(models: Sequence[ModelInfo], available: int | None) -> BaseCatalog:
    """`models` are those of this machine; `available` the bytes that a run may use."""
    bases = [_entry(base, models, available) for base in KNOWN_BASES]
    bases.sort(key=_rank)
    return BaseCatalog(bases=bases, available_gb=available / 1e9 if available else None)


def _rank(base: CatalogBase) -> tuple[int, int]:
    place = {"ok": 0, "tight": 1, "too_large": 2, None: 3}[base.lora_4bit.verdict]
    return place, -base.parameters if place == 0 else base.parameters


def _entry(base: KnownBase, models: Sequence[ModelInfo], available: int | None) -> CatalogBase:
    config = base.config
    model = ModelInfo(
        name=base.repo_id,
        path=base.repo_id,
        model_type=config.model_type,
        vocab_size=config.vocabulary,
        num_layers=config.layers,
        hidden_size=config.width,
        parameters=config.parameters,
        quantization=None,
        dtype="bfloat16",
        size_bytes=_WEIGHT_BYTES * config.parameters,
        chat_template=None,
        context_length=None,
        problem=None,
    )
    targets = _targets(base)
    return CatalogBase(
        repo_id=base.repo_id,
        good_for=base.good_for,
        license=base.license,
        gated=base.gated,
        parameters=config.parameters,
        size_bytes=_WEIGHT_BYTES * config.parameters,
        layers=config.layers,
        width=config.width,
        heads=config.heads,
        kv_heads=config.kv_heads,
        vocabulary=config.vocabulary,
        intermediate=config.intermediate,
        lora_4bit=_memory(base, model, targets, available, bits=4),
        full=_memory(base, model, targets, available, full=True),
        here=next((one.name for one in models if _is(one, base.repo_id)), None),
    )


def _targets(base: KnownBase) -> LoraTargets:
    """The module tree that the engine would find."""
    config = base.config
    tree = {
        "architecture": config.model_type,
        "num_layers": config.layers,
        "modules": [
            {"layer": layer, "name": name, "inputs": inputs, "outputs": outputs, "copies": 1}
            for layer in range(config.layers)
            for name, (inputs, outputs) in config.matrices.items()
        ],
        "others": [],
        "parameters": config.parameters,
        "block_parameters": [config.block_parameters] * config.layers,
    }
    return build_targets(tree, total_parameters=config.parameters)


def _memory(
    base: KnownBase,
    model: ModelInfo,
    targets: LoraTargets,
    available: int | None,
    *,
    bits: Literal[4] | None = None,
    full: bool = False,
) -> TrainingMemory:
    request = StandardStart.model_validate(
        {
            "model_path": base.repo_id,
            "train_data_path": "-",
            "quantize_base": bits,
            "fine_tune_type": "full" if full else "lora",
        }
    )
    _, _, trainable = coverage(request, targets)
    config = {
        "num_attention_heads": base.config.heads,
        "num_key_value_heads": base.config.kv_heads,
        "head_dim": base.config.head_width,
    }
    memory = estimate_memory(
        request, model, targets, trainable=trainable, config=config, loads=None, available=available
    )
    if memory is None:
        raise ValueError(f"The sizes of {base.repo_id} are incomplete.")
    return TrainingMemory(estimate_gb=memory.estimate_gb, verdict=memory.verdict)


def _is(model: ModelInfo, repo_id: str) -> bool:
    return model.problem is None and model.source is not None and model.source.repo_id == repo_id
