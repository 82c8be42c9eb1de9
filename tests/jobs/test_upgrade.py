"""Runs of the version before the rooms were moved: what it wrote is read, what lives is adopted.

`previous_version/` holds what that version left of a short run of each engine, paths replaced.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.core.process import MARK
from backend.settings import CHECKOUT, Settings
from tests.jobs.world import World

OLD = Path(__file__).parent / "previous_version"
ID = "00000000-0000-4000-8000-000000000001"
STATES = ("adapters.safetensors", "best_adapters.safetensors")


def plant(settings: Settings, engine: str, **changed: Any) -> Path:
    """Put the old run's files where the old server left them; answers the run folder."""
    folder = settings.sessions_dir / ID
    adapter = settings.adapters_dir / "old"
    folder.mkdir(parents=True)
    adapter.mkdir(parents=True)
    for name in ("config.yaml", "events.jsonl", "train.log"):
        (folder / name).write_text(old_text(settings, engine, name), encoding="utf-8")
    record = json.loads(old_text(settings, engine, "record.json")) | changed
    path = settings.sessions_dir / f"session_{ID}.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    latest = json.dumps({"latest_session_id": ID})
    (settings.sessions_dir / "latest.json").write_text(latest, encoding="utf-8")
    (adapter / "droid.json").write_text(old_text(settings, engine, "droid.json"), encoding="utf-8")
    for name in STATES:
        (adapter / name).write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    return folder


def old_text(settings: Settings, engine: str, name: str) -> str:
    text = (OLD / engine / name).read_text(encoding="utf-8")
    data = str(settings.adapters_dir.parent)
    return text.replace("<data>", data).replace("<checkout>", str(CHECKOUT))


def stand_in(settings: Settings) -> subprocess.Popen[bytes]:
    """A process as the old version started and marked its runs; it ends with its standard input."""
    command = [
        sys.executable,
        "-c",
        "import sys; sys.stdin.read()",
        str(settings.sessions_dir / ID),
    ]
    return subprocess.Popen(command, env={**os.environ, MARK: ID}, stdin=subprocess.PIPE)


@pytest.mark.parametrize("engine", ["sft", "grpo"])
async def test_an_ended_run_of_the_previous_version_shows_the_same_numbers(
    settings: Settings, engine: str
) -> None:
    plant(settings, engine)
    world = World(settings)
    await world.supervisor.open()

    status = world.supervisor.status()

    metrics = status.metrics.model_dump(mode="json")
    stored = world.record(ID)["metrics"]
    assert status.state == "completed"
    assert {name: metrics[name] for name in stored} == stored
    await world.supervisor.close()


@pytest.mark.parametrize("engine", ["sft", "grpo"])
async def test_a_run_that_outlives_the_upgrade_is_adopted_without_a_hole(
    settings: Settings, engine: str
) -> None:
    lines = old_text(settings, engine, "events.jsonl").splitlines(keepends=True)
    half = len(lines) // 2
    process = stand_in(settings)
    try:
        started = psutil.Process(process.pid).create_time()
        live: dict[str, Any] = {"state": "running", "training_state": "running", "exit": None}
        live |= {"pid": process.pid, "process_started": started, "ended_at": None}
        folder = plant(settings, engine, **live)
        (folder / "events.jsonl").write_text("".join(lines[:half]), encoding="utf-8")
        world = World(settings)
        await world.supervisor.open()
        assert world.supervisor.active_session == ID
        assert world.supervisor.status().pid == process.pid

        with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
            events.writelines(lines[half:])
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.to_thread(process.wait)
        assert (await world.until_end())["type"] == "training_completed"

        events_of = [json.loads(line) for line in lines]
        steps = [event["step"] for event in events_of if event["type"] == "metrics"]
        assert world.supervisor.snapshot().series.train["step"] == steps
        assert world.record(ID)["state"] == "completed"
        await world.supervisor.close()
    finally:
        process.kill()
        process.wait()
