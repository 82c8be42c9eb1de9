"""Runs outside the server: the same folder, configuration and process that the app uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from backend.contract.run.folder import CONFIG, EVENTS, LOG
from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from backend.training.plan.run_config import RunPaths, build_config
from backend.training.request.sft_fields import StandardStart
from scripts.setup.stamps import CHECKOUT

MODEL = CHECKOUT / "test_data" / "models" / "droid-demo"
SESSION = "00000000-0000-4000-8000-000000000000"
Event = dict[str, Any]


def make_run(root: Path, data: Path, keys: Sequence[str], **fields: Any) -> Path:
    """A run folder with the rows of `data` and the configuration of these fields."""
    request = StandardStart(
        model_path=str(MODEL), train_data_path=str(data / "train.jsonl"), early_stop=False, **fields
    )
    return lay_out(
        root,
        data,
        lambda paths: build_config(
            request,
            session_id=SESSION,
            paths=paths,
            keys=keys,
            iterations=request.iterations,
            model_fingerprint=None,
        ),
    )


def lay_out(root: Path, data: Path, configure: Callable[[RunPaths], dict[str, Any]]) -> Path:
    """A run folder below `root`, which is emptied first."""
    run = root / "run"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(data, run / "data")
    config = configure(RunPaths(model=MODEL, run=run, adapter=root / "adapter"))
    (run / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return run


def train(run: Path, module: str = "backend.engines.sft") -> list[Event]:
    """Train it in its own process; answer its events. A run that fails raises RuntimeError."""
    with (run / LOG).open("w", encoding="utf-8") as log:
        code = subprocess.run(
            [sys.executable, "-m", module, str(run)],
            cwd=CHECKOUT, env=environment(), stdout=log, stderr=log, check=False,
        ).returncode  # fmt: skip
    lines = (run / EVENTS).read_text(encoding="utf-8").splitlines()
    events: list[Event] = [json.loads(line) for line in lines]
    diverged = any(event.get("code") == "diverged" for event in events)
    if code != 0 and not diverged:
        log_text = (run / LOG).read_text(encoding="utf-8")
        raise RuntimeError(f"The run in {run} ended with {code}:\n{log_text[-2000:]}")
    return events


def environment() -> dict[str, str]:
    # One thread: threads that wait for each other on a small model cost more than they bring.
    return engine_environment(read_settings(os.environ)) | {"OPENBLAS_NUM_THREADS": "1"}
