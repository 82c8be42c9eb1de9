"""A run that ended too soon goes on, through REST, with the real engine on the demo model."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.service.live import at_step, frames_until, has_ended, listening, next_frame
from tests.service.server import Server, start_server

pytestmark = pytest.mark.engine

STEPS = 24


@pytest.fixture
def long_request(demo_request: dict[str, Any]) -> dict[str, Any]:
    return demo_request | {
        "iterations": STEPS, "steps_per_report": 1, "steps_per_eval": 8, "save_every": 4,
        "early_stop": False, "lora_dropout": 0.1, "lr_schedule": "cosine",
    }  # fmt: skip


def run_until(server: Server, request: dict[str, Any], step: int) -> str:
    """Start a run that would take for ever, and answer its session once it is at that step."""
    with listening(server) as socket:
        session_id: str = server.post("/training/start", request)["session_id"]
        frames_until(socket, lambda frame: frame["type"] == "training_started")
        frames_until(socket, at_step(step))
    return session_id


def go_on(server: Server, session_id: str, body: dict[str, Any]) -> str:
    with listening(server) as socket:
        answer = server.post(f"/sessions/{session_id}/resume", body)
        frames_until(socket, lambda frame: frame["type"] == "training_started")
        ended = frames_until(socket, has_ended)[-1]
    assert ended["type"] == "training_completed", ended
    resumed: str = answer["session_id"]
    return resumed


def test_a_stopped_run_goes_on_after_a_restart_and_its_chart_is_whole(
    tmp_path: Path, long_request: dict[str, Any]
) -> None:
    server = start_server(tmp_path / "data")
    stopped = run_until(server, long_request | {"iterations": 5000}, 6)
    with listening(server) as socket:
        state = next_frame(socket)["data"]["state"]
        server.post("/training/stop", {"save": True})
        if state not in {"stopped"}:
            frames_until(socket, has_ended)
    before = server.get(f"/sessions/{stopped}/metrics")["series"]["train"]
    server.stop()

    again = start_server(tmp_path / "data")
    try:
        points = again.get(f"/sessions/{stopped}/resume")["points"]
        at = points[-1]["step"]
        assert at >= 6
        resumed = go_on(again, stopped, {"iterations": at + 6})

        series = again.get(f"/sessions/{resumed}/metrics")["series"]
        assert series["train"]["step"] == list(range(1, at + 7))
        assert series["train"]["train_loss"][:at] == before["train_loss"][:at]
        assert sorted(set(series["checkpoints"])) == series["checkpoints"]
        record = again.get(f"/sessions/{resumed}")
        assert record["resumed_from"] == {"session_id": stopped, "checkpoint": at, "step": at}
        assert again.get(f"/sessions/{stopped}")["state"] == "stopped"
        snapshot = again.get("/training/status")
        assert snapshot["metrics"]["current_step"] == at + 6
        assert (tmp_path / "data/adapters/short_run/adapters.safetensors").is_file()
    finally:
        again.stop()


def test_a_killed_run_goes_on_by_itself_as_if_nothing_had_happened(
    server: Server, long_request: dict[str, Any]
) -> None:
    """SIGKILL at two random steps: the curve that comes out is that of an unbroken run."""
    with listening(server) as socket:
        whole = server.post("/training/start", long_request)["session_id"]
        assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"
    first, second = sorted(random.sample(range(1, STEPS - 4), 2))
    request = long_request | {"adapter_name": "killed", "auto_continue": 2}
    with listening(server) as socket:
        killed = server.post("/training/start", request)["session_id"]
        for step in (first, second):
            frames_until(socket, at_step(step))
            os.kill(server.get("/training/status")["pid"], signal.SIGKILL)
            assert frames_until(socket, has_ended)[-1]["type"] == "training_error", step
            frames_until(socket, lambda frame: frame["type"] == "training_started")
        ended = frames_until(socket, has_ended)[-1]
    assert ended["type"] == "training_completed", f"killed at {first} and {second}: {ended}"
    told = server.get(f"/sessions/{killed}")["exit"]["message"]
    assert "It goes on by itself" in told and "1 more time" in told

    resumed = server.get("/training/status")["session_id"]
    expected = server.get(f"/sessions/{whole}/metrics")["series"]
    found = server.get(f"/sessions/{resumed}/metrics")["series"]
    for kind, name in (("train", "train_loss"), ("validation", "val_loss")):
        assert found[kind]["step"] == expected[kind]["step"], f"killed at {first} and {second}"
        assert found[kind][name] == pytest.approx(expected[kind][name], abs=1e-4)
    assert found["checkpoints"] == expected["checkpoints"]
    assert found["best"]["step"] == expected["best"]["step"]


def test_a_checkpoint_that_is_gone_is_refused_in_a_sentence(
    server: Server, long_request: dict[str, Any]
) -> None:
    with listening(server) as socket:
        session_id = server.post("/training/start", long_request)["session_id"]
        frames_until(socket, has_ended)

    refused = server.client.post(f"/sessions/{session_id}/resume", json={"checkpoint": 3})
    done = server.client.post(f"/sessions/{session_id}/resume", json={})

    assert (refused.status_code, done.status_code) == (422, 422)
    assert "no state of checkpoint 3; there are" in refused.json()["detail"]
    assert f"at step {STEPS} already" in done.json()["detail"]
