"""What a list says of one adapter, from its configuration and the headers of its weights."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backend.adapters.folder import AdapterFolder, preferred, weights_of
from backend.adapters.peft import NotConvertible, PeftLayout, peft_layout
from backend.adapters.schemas import AdapterData, AdapterInfo
from backend.contract.run.folder import ADAPTER_CONFIG
from backend.models.safetensors_headers import BadWeights, Tensor, read_weights

_LAYER_KEY = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.(.+)\.lora_a")


def info_of(adapter: AdapterFolder, problem: str | None) -> AdapterInfo:
    """Never raises for what is wrong with it: that is its `problem`. Blocking."""
    tensors, layout = _weights(adapter) if problem is None else ({}, None)
    at = [match for name in tensors if (match := _LAYER_KEY.search(name))]
    parameters = adapter.config.get("lora_parameters")
    parameters = parameters if isinstance(parameters, Mapping) else {}
    rank = parameters.get("rank", adapter.config.get("r"))
    method, session = adapter.lineage.get("method"), adapter.lineage.get("session_id")
    warnings = [*(layout.warnings if layout else ()), *adapter.damaged]
    if not adapter.bases:
        warnings.append("It does not say which base it was trained on.")
    return AdapterInfo(
        name=adapter.name,
        path=str(adapter.path),
        type=_type(adapter, tensors),
        base_model=adapter.bases[0] if adapter.bases else None,
        method=method if isinstance(method, str) else None,
        lora_rank=rank if isinstance(rank, int) and not isinstance(rank, bool) else None,
        lora_alpha=_number(adapter.config.get("lora_alpha")),
        scale=layout.scale if layout else _number(parameters.get("scale")),
        keys=list(dict.fromkeys(match[2] for match in at)),
        num_layers=len({match[1] for match in at}) or None,
        size_bytes=_size(adapter.path),
        created=_created(adapter),
        session_id=session if isinstance(session, str) else None,
        has_best=adapter.has_best,
        checkpoints=list(adapter.checkpoints),
        tags=list(adapter.tags),
        warnings=warnings,
        problem=problem,
        is_peft=adapter.is_peft,
        has_latest=adapter.has_latest,
        base_fingerprint=adapter.fingerprint,
        train_data=_train_data(adapter.lineage.get("data")),
    )


def command_of(adapter: AdapterFolder, base: str | None) -> str | None:
    """The terminal command that asks it; None where the engine's own program can't read it."""
    if base is None or adapter.is_peft or not adapter.has_latest:
        return None
    parts = ("--model", base, "--adapter-path", str(adapter.path), "--prompt", "Hello")
    return f"python -m mlx_lm generate {shlex.join(parts)}"


def _train_data(recorded: Any) -> AdapterData | None:
    """What droid.json says of the training file; None where it says something else."""
    try:
        return AdapterData.model_validate(recorded["train"])
    except (KeyError, TypeError, ValidationError):
        return None


def _weights(adapter: AdapterFolder) -> tuple[Mapping[str, Tensor], PeftLayout | None]:
    try:
        tensors = read_weights([weights_of(adapter, preferred(adapter))]).tensors
        layout = peft_layout(adapter.config, tensors) if adapter.is_peft else None
    except (BadWeights, NotConvertible):  # It was whole a moment ago.
        return {}, None
    return (layout.tensors if layout else tensors), layout


def _type(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> str | None:
    if not tensors:
        kind = adapter.config.get("fine_tune_type")
        return kind if isinstance(kind, str) else None
    if not any(".lora_a" in name for name in tensors):
        return "full"
    return "dora" if any(name.endswith(".m") for name in tensors) else "lora"


def _created(adapter: AdapterFolder) -> datetime | None:
    time = adapter.lineage.get("created")
    try:
        if isinstance(time, str):
            return datetime.fromisoformat(time)
        file = adapter.path / ADAPTER_CONFIG
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return None


def _size(folder: Path) -> int:
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # Replaced just now.
            continue
    return total


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
