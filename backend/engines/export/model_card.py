"""The model card of an export: base, data, settings and measured numbers. The licence is empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.contract.export.request import ExportRequest

CARD = "README.md"
_FORMS = {
    "merged": "the adapter merged into the base model, not quantised (safetensors)",
    "merged_q4": "the adapter merged into the base model, quantised to 4 bits (safetensors, MLX)",
    "merged_q8": "the adapter merged into the base model, quantised to 8 bits (safetensors, MLX)",
    "peft": "a PEFT adapter; it needs its base model",
    "gguf_f16": "the adapter merged into the base model, GGUF in 16-bit floats",
    "gguf_q8": "the adapter merged into the base model, GGUF in 8 bits",
    "gguf_q5": "the adapter merged into the base model, GGUF in 5 bits",
    "gguf_q4": "the adapter merged into the base model, GGUF in 4 bits",
}
_LIBRARIES = {"peft": "peft", "gguf": "gguf", "merged_q4": "mlx", "merged_q8": "mlx"}


def model_card(request: ExportRequest) -> str:
    """Markdown with a YAML head, as the hub reads it."""
    base = str(request.base.get("name") or Path(request.model).name)
    library = _LIBRARIES.get(request.format.partition("_f")[0]) or (
        "gguf" if request.format.startswith("gguf") else "transformers"
    )
    head = [
        "---",
        "# license: to be filled in by the owner; the base model's licence binds you as well",
        f"base_model: {json.dumps(base, ensure_ascii=False)}",
        f"library_name: {library}",
        "pipeline_tag: text-generation",
        "---",
    ]
    parts = [
        f"# {Path(request.output).name}",
        f"This is {_FORMS[request.format]}.",
        _table(
            "Model",
            {
                "base model": base,
                "adapter": request.adapter_name,
                "checkpoint": request.checkpoint,
                "training method": request.lineage.get("method"),
            },
        ),
        _table("Data", request.data),
        _table("Settings", request.settings),
        _scores(request),
        "## Licence\n\nTo be filled in by the owner.",
        "Made with Droid FineTuning; `droid.json` has the lineage.",
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def _table(title: str, rows: Mapping[str, Any]) -> str:
    lines = [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows.items()]
    return "\n".join([f"## {title}\n", "| | |", "|---|---|", *lines]) if lines else ""


def _scores(request: ExportRequest) -> str:
    if not request.scores:
        return "## Scores\n\nNot measured: there were no held-out rows."
    lines = [
        f"| {_cell(one.name)} | {_cell(one.metric)} | {one.value:.4g} | "
        + ("—" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}")
        + " |"
        for one in request.scores
    ]
    head = ["## Scores\n", "| model | metric | value | 95 % interval |", "|---|---|---|---|"]
    return "\n".join([*head, *lines])


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split()).replace("|", "\\|")
