"""Ten thousand sessions, and one of a hundred thousand reports: start, pages, curves, memory."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from backend.cli.client import Client
from scripts.bench.machine import machine
from scripts.bench.measures import Measure
from scripts.bench.page import shown_value, table, write_section
from scripts.bench.runs import service

SESSIONS, REPORTS, ASKED = 10_000, 100_000, 5
_PAGE, _START, _MEMORY, _CURVES = 150.0, 3.0, 250.0, 3.0  # Milliseconds, seconds, MB, seconds.
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_STATES = ("completed", "completed", "stopped", "error", "interrupted")
_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_PAGES = {
    "first page": "",
    "sorted by best loss": "&sort=best&order=asc",
    "sorted by name": "&sort=name&order=asc",
    "sorted by duration": "&sort=duration",
    "filtered by state": "&state=error,interrupted",
    "filtered by method and model": "&method=grpo&model=Model-3",
    "full text": "&q=note+pirates",
    "last page": "&sort=date&order=asc",
}
_HEAD = f"""Written by `npm run bench -- sessions --write`. A data root with {SESSIONS:,} records of
finished runs, each with its folder, and one run of {REPORTS:,} reports. *First start* has no
index of sessions yet; *start* is the next one. Times are what a client waits for, medians of
{ASKED}; memory is the server's resident size after all of it.
"""


def bench_sessions(*, write: bool) -> int:
    """Measure, print and with `write` keep it; 1 when a limit is missed."""
    measures = []
    for measure in _measures():
        print(f"  {measure.name:<44} {shown_value(measure)}   {'ok' if measure.good else 'MISSED'}")
        measures.append(measure)
    where = machine()
    print(f"\n  {where}")
    if write:
        write_section("Many sessions", f"{_HEAD}\n{where}\n\n{table(measures)}")
    return 0 if all(measure.good for measure in measures) else 1


def _measures() -> Iterator[Measure]:
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        root = Path(folder)
        long = write_sessions(root, SESSIONS)
        write_reports(root / "sessions" / long, REPORTS)
        started = time.perf_counter()
        with service(root) as (_, client, _pid):
            first = time.perf_counter() - started
            client.get("/sessions?limit=100")
        yield Measure("first start, to healthy", first, "s", 4 * _START, detail="no index yet")
        started = time.perf_counter()
        with service(root) as (_, client, pid):
            again = time.perf_counter() - started
            yield Measure("start, to healthy", again, "s", _START, detail="with the index")
            for name, query in _PAGES.items():
                spent = _milliseconds(client, f"/sessions?limit=100{query}")
                yield Measure(f"/sessions, {name}", spent, "ms", _PAGE, detail="100 rows")
            yield from _curves(client, f"/sessions/{long}/metrics?max_points=5000")
            memory = psutil.Process(pid).memory_info().rss / 1e6
            yield Measure("server memory", memory, "MB", _MEMORY, detail="resident")


def _curves(client: Client, path: str) -> Iterator[Measure]:
    started = time.perf_counter()
    client.get(path)
    spent = time.perf_counter() - started
    yield Measure(f"curves of {REPORTS:,} reports", spent, "s", _CURVES, detail="5,000 points")
    spent = _milliseconds(client, f"{path}&since={REPORTS - 100}")
    yield Measure("the last 100 of them, by `since`", spent, "ms", _PAGE, detail="read before")


def _milliseconds(client: Client, path: str) -> float:
    times = []
    for _ in range(ASKED):
        started = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def write_sessions(root: Path, count: int) -> str:
    """Records of finished runs with their folders; answers the id of the newest."""
    chance = random.Random(1)
    (root / "sessions").mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        record = _record(number, chance)
        session_id = record["session_id"]
        path = root / "sessions" / f"session_{session_id}.json"
        path.write_text(json.dumps(record, indent=2), encoding="utf-8")
        run = root / "sessions" / session_id
        run.mkdir()
        (run / "train.log").write_text("Iter 300: Train loss 1.0\n", encoding="utf-8")
    return str(session_id)


def write_reports(run: Path, count: int) -> None:
    """The events of a run with that many reports, and a validation after every hundredth."""
    chance = random.Random(2)
    with (run / "events.jsonl").open("w", encoding="utf-8") as file:
        for step in range(1, count + 1):
            at = (_FIRST + timedelta(seconds=step)).isoformat()
            report: dict[str, Any] = {
                "seq": step, "at": at, "type": "metrics", "step": step,
                "train_loss": chance.random(), "learning_rate": 1e-4,
                "iterations_per_second": chance.random(), "tokens_per_second": 900.5,
                "trained_tokens": step * 431, "peak_memory_gb": 1.25, "epoch": step / 300,
            }  # fmt: skip
            if step % 100 == 0:
                report = {"seq": step, "at": at, "type": "validation", "step": step,
                          "val_loss": chance.random(), "val_time": 1.5}  # fmt: skip
            file.write(json.dumps(report) + "\n")


def _record(number: int, chance: random.Random) -> dict[str, Any]:
    at = (_FIRST + timedelta(minutes=number)).isoformat()
    state = chance.choice(_STATES)
    keys = [f"self_attn.{layer}" for layer in _LAYERS]
    settings = {f"setting_{place}": place / 2 for place in range(60)}
    return {
        "schema_version": 1,
        "session_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "number": number,
        "timestamp": at,
        "training_state": state,
        "state": state,
        "method": chance.choice(("sft", "grpo", "dpo")),
        "config": {
            "model_path": f"/models/Model-{number % 7}",
            "train_data_path": f"/data/rows-{number % 13}.jsonl",
            "adapter_name": f"run_{number}",
            "learning_rate": 1e-4,
            "lora_keys": keys,
            **settings,
        },
        "metrics": {
            "current_step": 300,
            "total_steps": 300,
            "train_loss": chance.random(),
            "val_loss": chance.random(),
            "elapsed_seconds": 900 * chance.random(),
        },
        "adapter_path": f"/adapters/run_{number}/adapters.safetensors",
        "best_model": {"step": 200, "path": "best", "metric": "val_loss", "value": chance.random()},
        "lora": {"keys": keys, "matched_modules": 168, "trainable_parameters": 17_596_000,
                 "total_parameters": 494_033_000, "percent": 3.562, "effective_scale": 32.0},
        "data": {"train": {"path": "/data", "sha256": f"{number:064x}", "rows": 100}},
        "started_at": at,
        "ended_at": at,
        "exit": {"state": state, "message": "Training has ended.", "hint": None},
        "curve": [chance.random() for _ in range(32)],
        "notes": f"Note {number} about pirates." if number % 5 == 0 else "",
        "tags": ["keep", "first try"][: number % 3],
    }  # fmt: skip
