"""`--demo`: one real training run on the bundled model, shown in the terminal."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import Any

from backend.cli.client import Client, Refused
from scripts.setup.stamps import CHECKOUT

MODEL = "droid-demo"
_ACTIVE = frozenset({"starting", "running", "paused", "stopping"})
_TICK = 0.4


def run_demo(client: Client, adapters: Path) -> bool:
    """Train the demo model with its own defaults; True when the run completed."""
    try:
        request = demo_request(client.get("/models")["models"], adapters)
        answer = client.post("/training/start", request)
    except Refused as refusal:
        print(f"  The demo run was refused. {refusal}")
        return False
    print(f"  Training {MODEL}: {request.get('iterations')} iterations on {_data(request)}")
    for warning in answer["warnings"]:
        print(f"  Note: {warning}")
    session = str(answer["session_id"])
    status = _follow(client, session)
    return _tell_result(client, session, status)


def demo_request(models: list[dict[str, Any]], adapters: Path) -> dict[str, Any]:
    """The start request of the demo run, under an adapter name that is still free."""
    model = next((found for found in models if found["name"] == MODEL), None)
    if model is None or model["problem"] or not model.get("defaults"):
        why = (model or {}).get("problem") or "it is not in the model list with its defaults"
        raise Refused(f"The demo model {MODEL} can't be used: {why}.")
    request: dict[str, Any] = {"model_path": model["path"], **model["defaults"]}
    wanted = str(request.get("adapter_name") or "demo")
    request["adapter_name"] = free_name(wanted, adapters)
    return request


def free_name(wanted: str, adapters: Path) -> str:
    name, number = wanted, 2
    while (adapters / name).exists():
        name, number = f"{wanted}-{number}", number + 1
    return name


def _data(request: dict[str, Any]) -> str:
    path = Path(str(request["train_data_path"]))
    return "/".join(path.parts[-2:])


def _follow(client: Client, session: str) -> dict[str, Any]:
    """Print phases, losses and validations as they come, until the run has ended."""
    phases: set[str | None] = {None, "done"}
    trained, validated = 0, 0
    while True:
        status: dict[str, Any] = client.get("/training/status")
        if status["phase"] not in phases:  # Training and evaluating take turns.
            phases.add(status["phase"])
            print(f"  · {status['phase']}", flush=True)
        series = _series(client, session)
        lines = [*_training_lines(series["train"], trained, status)]
        lines += _validation_lines(series["validation"], validated)
        trained = len(series["train"].get("step", []))
        validated = len(series["validation"].get("step", []))
        for _, line in sorted(lines):
            print(line, flush=True)
        if status["state"] not in _ACTIVE:
            return status
        time.sleep(_TICK)


def _series(client: Client, session: str) -> dict[str, Any]:
    series: dict[str, Any] = client.get(f"/sessions/{session}/metrics")["series"]
    return series


def _training_lines(
    train: dict[str, list[Any]], seen: int, status: dict[str, Any]
) -> list[tuple[float, str]]:
    total = status["metrics"]["total_steps"]
    rows = zip(
        train.get("step", []),
        train.get("train_loss", []),
        train.get("tokens_per_second", []),
        strict=False,
    )
    return [
        (
            step,
            f"    step {step:>5.0f} of {total}   loss {_number(loss)}   {_number(speed, 0)} tok/s",
        )
        for step, loss, speed in list(rows)[seen:]
    ]


def _validation_lines(validation: dict[str, list[Any]], seen: int) -> list[tuple[float, str]]:
    rows = zip(validation.get("step", []), validation.get("val_loss", []), strict=False)
    return [
        (step + 0.5, f"    step {step:>5.0f}   validation loss {_number(loss)}")
        for step, loss in list(rows)[seen:]
    ]


def _tell_result(client: Client, session: str, status: dict[str, Any]) -> bool:
    record = client.get(f"/sessions/{session}")
    if status["state"] != "completed":
        error = status["error"] or {}
        print(f"\n  The demo run ended in {status['state']}. {error.get('message', '')}")
        if error.get("hint"):
            print(f"  {error['hint']}")
        for line in error.get("log_tail", [])[-15:]:
            print(f"    {line}")
        return False
    losses = [
        loss
        for loss in _series(client, session)["validation"].get("val_loss", [])
        if loss is not None
    ]
    print()
    if losses:
        print(f"  Validation loss before: {losses[0]:.3f}")
        print(f"  Validation loss after:  {losses[-1]:.3f}")
    folder = Path(str(record["adapter_path"]))
    folder = folder.parent if folder.suffix else folder
    print(f"  Adapter: {folder}")
    print("  Ask it:  .venv/bin/python -m mlx_lm generate --prompt 'Who are you?' \\")
    print(f"             --model {_quoted(record['model']['path'])} \\")
    print(f"             --adapter-path {_quoted(str(folder))}")
    return True


def _quoted(path: str) -> str:
    return shlex.quote(os.path.relpath(path, CHECKOUT) if path.startswith(str(CHECKOUT)) else path)


def _number(value: float | None, digits: int = 3) -> str:
    return "—" if value is None else f"{value:.{digits}f}"
