"""Run the real training process on the tiny model, and read what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.machine.blas import engine_environment
from backend.settings import CHECKOUT, read_settings
from backend.training.lora.groups import SEVEN
from backend.training.plan.run_config import RunPaths, build_config
from tests.training.requests import request, write_rows

DEADLINE = 240.0


@dataclass(frozen=True)
class Finished:
    code: int
    events: list[dict[str, Any]]
    adapter: Path
    log: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def exit(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def losses(self) -> list[float]:
        return [event["train_loss"] for event in self.of("metrics")]

    def files(self) -> set[str]:
        return {path.name for path in self.adapter.iterdir()}


def environment() -> dict[str, str]:
    env = engine_environment(read_settings(os.environ))
    # One thread: two that spin for each other are many times slower on a busy machine.
    return env | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}


def prepare_run(
    root: Path, model: Path, *, rows: Any = 12, valid: Any = 4, config: Mapping[str, Any] = {},
    **fields: Any,
) -> Path:  # fmt: skip
    """A run folder as the server would fill it. `config` overrides keys of the YAML."""
    run, adapter = root / "run", root / "adapter"
    write_rows(run / "data" / "train.jsonl", rows)
    write_rows(run / "data" / "valid.jsonl", valid)
    write_rows(run / "data" / "test.jsonl", valid)
    quick = {
        "batch_size": 2, "max_seq_length": 128, "lora_rank": 4, "lora_alpha": 4.0,
        "steps_per_report": 1, "steps_per_eval": 4, "save_every": 4, "learning_rate": 1e-2,
        "grad_checkpoint": False,
    }  # fmt: skip
    asked = request(**quick | fields)
    paths = RunPaths(model=model, run=run, adapter=adapter)
    built = build_config(
        asked,
        session_id="00000000-0000-4000-8000-000000000000",
        paths=paths,
        keys=SEVEN,
        iterations=asked.iterations,
        model_fingerprint="f" * 64,
    )
    (run / "config.yaml").write_text(json.dumps(built | dict(config)))
    return run


def start(run: Path) -> subprocess.Popen[str]:
    with (run / "train.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "backend.engines.sft", str(run)],
            cwd=CHECKOUT, env=environment(), stdout=log, stderr=log, text=True,
        )  # fmt: skip


def finish(run: Path, process: subprocess.Popen[str]) -> Finished:
    try:
        code = process.wait(DEADLINE)
    finally:
        process.kill()
    return Finished(code, events_of(run), run.parent / "adapter", (run / "train.log").read_text())


def train(run: Path) -> Finished:
    return finish(run, start(run))


def events_of(run: Path) -> list[dict[str, Any]]:
    try:
        lines = (run / "events.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def wait_for(run: Path, process: subprocess.Popen[str], kind: str, **fields: Any) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        for event in events_of(run):
            if event["type"] == kind and fields.items() <= event.items():
                return
        time.sleep(0.02)
    raise AssertionError(f"no {kind} {fields}: {(run / 'train.log').read_text()[-2000:]}")
