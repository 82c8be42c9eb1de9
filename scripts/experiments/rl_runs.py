"""One run of the RL experiment: the app's own request, configuration and process."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.training.lora.groups import SEVEN
from backend.training.plan.run_config import Judgement, RunPaths, build_config
from backend.training.request.method_fields import EnhancedStart
from scripts.experiments.rl_grid import RlCell
from scripts.experiments.runs import MODEL, SESSION, Event, lay_out, train

_KEPT = (
    "val_reward", "val_accuracy", "val_margin", "val_success_rate", "val_completion_length",
    "val_rewards",
)  # fmt: skip


def run_cell(cell: RlCell) -> dict[str, Any]:
    """Train it; answer what its validations and reports said. A run that fails raises."""
    root = Path(tempfile.mkdtemp(prefix="droid-experiment-"))
    started, worked = time.monotonic(), _children()
    try:
        run = make_method_run(root / "cell", cell.task.data, cell.fields, cell.task.rewards)
        events = train(run, "backend.engines.rl")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {
        "method": cell.method,
        "seed": cell.seed,
        "fields": cell.fields,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(_children() - worked, 1),
        "curve": [_validation(event) for event in events if event["type"] == "validation"],
        "clipped": [
            event["clip_ratio"]
            for event in events
            if event["type"] == "metrics" and event.get("clip_ratio") is not None
        ],
    }


def make_method_run(
    root: Path, data: Path, fields: Mapping[str, Any], rewards: Sequence[str]
) -> Path:
    """The folder of a run with these fields, as the server would fill it."""
    request = EnhancedStart(
        model_path=str(MODEL), train_data_path=str(data / "train.jsonl"), **fields
    )

    def configure(paths: RunPaths) -> dict[str, Any]:
        return build_config(
            request,
            session_id=SESSION,
            paths=paths,
            keys=SEVEN,
            iterations=request.iterations,
            model_fingerprint=None,
            judgement=Judgement(rewards=tuple(rewards), success=fields.get("success_function")),
        )

    return lay_out(root, data, configure)


def _children() -> float:
    """Seconds of processor time of all ended child processes: on a busy machine far below the
    seconds on the wall.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _validation(event: Event) -> dict[str, Any]:
    return {"step": event["step"]} | {name: event[name] for name in _KEPT if name in event}
