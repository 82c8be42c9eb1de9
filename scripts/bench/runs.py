"""One training run two ways: through the app, and as plain `mlx_lm lora` on the same YAML."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from backend.cli.client import Client
from backend.core.machine.blas import engine_environment
from backend.settings import Settings, read_settings
from scripts.setup.stamps import CHECKOUT
from scripts.start.demo import demo_request
from scripts.start.record import end, known
from scripts.start.service import start_service

_TICK = 0.01
_GRACE = 20.0
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
# A training row of mlx_lm's table: step, loss with its arrow, tokens per second, tokens.
_ROW = re.compile(r"^\s*(\d+)\s+[\d.]+\s+[^\d\s]\s+([\d,]+)\s+[\d.]+[kM]?\s*$", re.MULTILINE)
_ACTIVE = frozenset({"starting", "running", "stopping"})


@dataclass(frozen=True, slots=True)
class Timed:
    """Tokens per second (median of the reports but the first), and seconds to the first report."""

    tokens_per_second: float
    first_metric: float


@contextmanager
def service(data_dir: Path) -> Iterator[tuple[Settings, Client, int]]:
    """A server of its own on a free port; answers its process id too."""
    settings = read_settings({}, data_dir=str(data_dir), port=0)
    process, client = start_service(settings)
    try:
        yield settings, client, process.pid
    finally:
        end(known(process.pid), patience=_GRACE)
        process.wait()


def bench_request(client: Client, settings: Settings, name: str) -> dict[str, Any]:
    """The demo run, with evaluation out of the way: that is the same work in both."""
    request = demo_request(client.get("/models")["models"], settings.adapters_dir)
    changes = {"steps_per_eval": 10_000, "val_batches": 1, "save_every": 10_000}
    return {**request, **changes, "adapter_name": name, "early_stop": False}


def through_the_app(client: Client, request: dict[str, Any]) -> tuple[Timed, str]:
    """Run it; answer the times and the session's id."""
    started = time.monotonic()
    session = str(client.post("/training/start", request)["session_id"])
    first = until_ended(client) - started
    speeds = client.get(f"/sessions/{session}/metrics")["series"]["train"]["tokens_per_second"]
    return Timed(_typical(speeds), first), session


def until_ended(client: Client) -> float:
    """Wait for the run that was started; answer when (monotonic) its first metric was there."""
    first: float | None = None
    while True:
        status = client.get("/training/status")
        if first is None and status["metrics"]["train_loss"] is not None:
            first = time.monotonic()
        if status["state"] not in _ACTIVE:
            break
        time.sleep(_TICK if first is None else 0.5)
    if status["state"] != "completed" or first is None:
        raise RuntimeError(f"The benchmark run ended in {status['state']}: {status['error']}")
    return first


def copy_config(config: Path, work: Path) -> Path:
    """That run's YAML again in `work`, with an adapter folder beside it."""
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    copy = work / "config.yaml"
    copy.write_text(
        yaml.safe_dump({**values, "adapter_path": str(work / "adapter")}), encoding="utf-8"
    )
    return copy


def start_plain(settings: Settings, config: Path, output: Path) -> psutil.Popen:
    """mlx_lm's own command on that YAML, in the environment engines get."""
    with output.open("wb") as stream:
        return psutil.Popen(
            [sys.executable, "-m", "mlx_lm", "lora", "--config", str(config)],
            cwd=CHECKOUT,
            env=engine_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )


def plain(settings: Settings, config: Path, work: Path) -> Timed:
    """Run mlx_lm's own command on the run's own YAML, in the environment engines get."""
    copy, said = copy_config(config, work), work / "out.txt"
    started = time.monotonic()
    process = start_plain(settings, copy, said)
    first: float | None = None
    while process.poll() is None:
        if first is None and rows(said.read_text(encoding="utf-8", errors="replace")):
            first = time.monotonic() - started
        time.sleep(_TICK if first is None else 0.5)
    text = said.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0 or first is None:
        raise RuntimeError(f"Plain mlx_lm ended with {process.returncode}:\n{text[-2000:]}")
    return Timed(_typical(rows(text)), first)


def rows(text: str) -> list[float]:
    """Tokens per second of each training row that mlx_lm printed."""
    lines = _ANSI.sub("", text).replace("\r", "\n")
    return [float(speed.replace(",", "")) for _, speed in _ROW.findall(lines)]


def _typical(speeds: list[float]) -> float:
    return statistics.median(speeds[1:] or speeds)
