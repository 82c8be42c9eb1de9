"""Requests of exports for tests, and how to run one in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from backend.contract.export.request import ExportRequest, ExportResult, SmokeAnswer
from backend.contract.record import read_record, write_record
from backend.engines.export.run import export_run
from backend.engines.export.smoke import main as ask_files
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from tests.engines.architectures import make_adapter, spec_of

KEYS = [
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
]  # fmt: skip


def request(root: Path, model: Path, adapter: Path | None = None, **changed: Any) -> ExportRequest:
    fields: dict[str, Any] = {
        "model": str(model),
        "format": "merged",
        "output": str(root / "exports" / "mine"),
        "staging": str(root / "exports" / ".exporting-1"),
        "adapter": spec_of(adapter) if adapter is not None else None,
        "adapter_name": adapter.name if adapter is not None else None,
        "checkpoint": "latest" if adapter is not None else None,
    }
    return ExportRequest(**fields | changed)


def prepare(root: Path, asked: ExportRequest) -> Path:
    folder = root / "job"
    folder.mkdir(exist_ok=True)
    (folder / "request.json").write_text(json.dumps(write_record(asked)))
    return folder


Smoke = Literal["fresh", "here", "none"]


def run(
    root: Path, asked: ExportRequest, control: Control | None = None, *, smoke: Smoke = "fresh"
) -> Ending:
    """`smoke`: whether a fresh process loads and asks what was written, as it really is, or this
    one does, by the same code and without the seconds that its imports take.
    """
    folder = prepare(root, asked)
    if smoke == "fresh":
        return export_run(folder, Emitter(folder / "events.jsonl"), control or Control())
    asker = _asked_here if smoke == "here" else _not_asked
    with patch("backend.engines.export.run._smoke", asker):
        return run(root, asked, control)


def _asked_here(_asked: ExportRequest, folder: Path, *_: object) -> SmokeAnswer:
    answer = folder / "smoke.json"
    assert ask_files([str(folder), str(answer)]) == 0
    return read_record(SmokeAnswer, json.loads(answer.read_text()))


def _not_asked(*_: object) -> SmokeAnswer:
    return SmokeAnswer(program="none", prompt=None, text=None, tokens=0, seconds=0.0)


def result(root: Path) -> ExportResult:
    return read_record(ExportResult, json.loads((root / "job" / "result.json").read_text()))


def adapter_of(root: Path, model: Path, **changed: Any) -> Path:
    return make_adapter(root / "adapter", model, **{"keys": KEYS, **changed})
