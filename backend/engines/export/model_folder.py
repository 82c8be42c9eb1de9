"""What a model folder needs beside its weights: configuration, tokenizer, card, lineage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mlx_lm.utils import load_config, load_tokenizer

from backend.contract.export.request import ExportRequest
from backend.contract.run.folder import LINEAGE
from backend.core.disk.files import write_json, write_text
from backend.engines.export.model_card import CARD, model_card
from backend.engines.weights.base import changes_for_mlx

_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "chat_template.jinja",
    "chat_template.json", "chat_templates", "preprocessor_config.json",
)  # fmt: skip
_MORE = ("*.tiktoken", "*.py")  # A tokenizer, or a model, with code of its own.
_QUANTISATION = ("quantization", "quantization_config")
_GENERATION = "generation_config.json"


def write_config(
    source: Path, staging: Path, quantization: Mapping[str, Any] | None, stops: list[int]
) -> None:
    """`config.json` as the base has it, with this quantisation or none, and the stop tokens."""
    config = _read(source / "config.json")
    config |= changes_for_mlx(config)  # Plain MLX must read the same positions.
    for part in (config, config.get("text_config")):
        for name in _QUANTISATION:
            if isinstance(part, dict):
                part.pop(name, None)
    if quantization is not None:
        config |= dict.fromkeys(_QUANTISATION, quantization)
    write_json(staging / "config.json", config)
    generation = _read(source / _GENERATION) if (source / _GENERATION).is_file() else {}
    if stops:
        generation["eos_token_id"] = stops[0] if len(stops) == 1 else stops
    write_json(staging / _GENERATION, generation)


def stop_tokens(source: Path) -> list[int]:
    """The ids that end an answer: the configuration's, and the end of the tokenizer's own turn."""
    configured = load_config(source).get("eos_token_id")
    ids = configured if isinstance(configured, list) else [configured]
    tokenizer = load_tokenizer(source, eos_token_ids=configured)
    return list(dict.fromkeys(i for i in [*ids, tokenizer.eos_token_id] if isinstance(i, int)))


def copy_tokenizer(source: Path, staging: Path) -> None:
    """The tokenizer's files as they are, chat template included."""
    there = [source / name for name in _TOKENIZER]
    there += [path for pattern in _MORE for path in sorted(source.glob(pattern))]
    for path in there:
        if path.is_dir():
            shutil.copytree(path, staging / path.name)
        elif path.is_file():
            shutil.copyfile(path, staging / path.name)


def write_about(request: ExportRequest, staging: Path, facts: Mapping[str, Any]) -> None:
    """The model card and `droid.json`, which says what the export was made from."""
    lineage = {
        "schema_version": 1,
        "session_id": request.lineage.get("session_id"),
        "method": "export",
        "base_model": dict(request.base) or {"path": request.model},
        "adapter": {"name": request.adapter_name, "checkpoint": request.checkpoint}
        if request.adapter is not None
        else None,
        "trained": dict(request.lineage) or None,
        "export": {"format": request.format, **facts},
        "data": dict(request.data) or request.lineage.get("data"),
        "created": datetime.now(UTC).isoformat(),
        "versions": {name: version(name) for name in ("mlx", "mlx-lm", "transformers")},
    }
    write_json(staging / LINEAGE, lineage)
    write_text(staging / CARD, model_card(request))


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value
