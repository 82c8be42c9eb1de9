"""The enhanced tab through REST, with the real engine on the demo model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.service.live import at_step, frames_until, has_ended, listening, next_frame
from tests.service.server import CHECKOUT, DEMO, Server, running_server, start_server

pytestmark = pytest.mark.engine

DATA = CHECKOUT / "test_data" / "demo"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all: what it has found out about the model and the rows is asked once."""
    with running_server(tmp_path_factory.mktemp("server") / "data root") as running:
        yield running


def asked(method: str, **fields: Any) -> dict[str, Any]:
    """A run of a few seconds: six steps, two evaluations."""
    rows = DATA / ("preference" if method in {"dpo", "orpo"} else "grpo")
    small = {
        "training_method": method,
        "model_path": str(DEMO),
        "train_data_path": str(rows / "train.jsonl"),
        "val_data_path": str(rows / "valid.jsonl"),
        "adapter_name": f"short_{method}",
        "iterations": 6,
        "batch_size": 4,
        "max_seq_length": 256,
        "steps_per_report": 2,
        "steps_per_eval": 3,
        "save_every": 3,
        "val_batches": 2,
        "learning_rate": 1e-4,
    }
    return small | fields


def grpo(**fields: Any) -> dict[str, Any]:
    sampled = {"group_size": 4, "max_completion_length": 16, "temperature": 1.0}
    rewards = {"reward_functions": "token_f1, number_match", "success_function": "number_match"}
    return asked("grpo", **sampled, **rewards, **fields)


def test_a_grpo_run_is_stopped_goes_on_and_reads_back_like_any_other(server: Server) -> None:
    with listening(server) as socket:
        assert next_frame(socket)["type"] == "training_state"
        started = server.post("/api/training/start-enhanced", grpo(iterations=300))
        frames_until(socket, at_step(4))
        server.post("/training/stop", {"save": True})
        assert frames_until(socket, has_ended)[-1]["type"] == "training_stopped"
        stopped = server.get(f"/sessions/{started['session_id']}")
        steps = stopped["metrics"]["current_step"]
        answer = server.post(f"/sessions/{started['session_id']}/resume", {"iterations": steps + 3})
        assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"

    assert (started["success"], started["status"], started["method"]) == (True, "started", "grpo")
    assert started["pid"] is not None
    assert Path(started["log_file"]).is_file()
    record = server.get(f"/sessions/{answer['session_id']}")
    assert (record["method"], record["state"]) == ("grpo", "completed")
    assert record["resumed_from"]["session_id"] == started["session_id"]
    assert record["config"]["group_size"] == 4
    assert record["lora"]["keys"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert record["data"]["format"] == "grpo"
    series = server.get(f"/sessions/{answer['session_id']}/metrics")["series"]
    assert series["train"]["step"][0] == 2, "the history before the stop is there"
    assert all(value is not None for value in series["train"]["avg_reward"])
    assert len(series["validation"]["val_reward"]) >= 2
    config = yaml.safe_load((Path(started["log_file"]).parent / "config.yaml").read_text())
    assert config["reward_functions"] == ["token_f1", "number_match"]
    assert (Path(record["adapter_path"]).parent / "best_adapters.safetensors").is_file()


def test_judging_rewards_compare_with_the_answers_of_the_rows(server: Server) -> None:
    with listening(server) as socket:
        assert next_frame(socket)["type"] == "training_state"
        rewards = {"reward_functions": "number_match", "max_completion_length": 8}
        started = server.post("/api/training/start-enhanced", asked("online_dpo", **rewards))
        assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"

    record = server.get(f"/sessions/{started['session_id']}")
    assert record["metrics"]["rewards"]["number_match"]["coverage"] == 1.0
    samples = server.get(f"/sessions/{started['session_id']}/samples")["samples"]
    assert all(sample["answer"] and sample["total"] is not None for sample in samples)


def test_a_server_killed_mid_run_adopts_the_run_and_its_series_has_no_hole(tmp_path: Path) -> None:
    request = grpo(iterations=40, batch_size=1, steps_per_report=1, steps_per_eval=20)
    killed = start_server(tmp_path / "data")
    with listening(killed) as socket:
        started = killed.post("/api/training/start-enhanced", request)
        frames_until(socket, at_step(3))
    killed.kill()

    again = start_server(tmp_path / "data", port=killed.port)
    try:
        with listening(again) as socket:
            snapshot = next_frame(socket)["data"]
            assert (snapshot["state"], snapshot["session_id"]) == ("running", started["session_id"])
            assert again.get("/training/status")["pid"] == started["pid"]
            assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"
        series = again.get(f"/sessions/{started['session_id']}/metrics")["series"]
        samples = again.get(f"/sessions/{started['session_id']}/samples")["samples"]
    finally:
        again.stop()

    assert series["train"]["step"] == list(range(1, 41))
    assert all(value is not None for value in series["train"]["avg_reward"])
    assert series["validation"]["step"] == [0, 20, 40]
    assert samples[-1]["step"] == 40


def test_both_tabs_share_one_slot_and_one_queue(
    server: Server, demo_request: dict[str, Any]
) -> None:
    with listening(server) as socket:
        assert next_frame(socket)["type"] == "training_state"
        server.post("/api/training/start-enhanced", grpo(adapter_name="long", iterations=500))
        refused = server.client.post("/training/start", json=demo_request)
        waiting = server.post("/api/training/start-enhanced", asked("dpo", queue=True))
        queue = server.get("/training/queue")["queue"]
        server.post("/training/stop", {"save": False})
        assert frames_until(socket, has_ended)[-1]["type"] == "training_stopped"
        assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"

    assert refused.status_code == 409
    assert (waiting["status"], waiting["pid"]) == ("queued", None)
    assert [(run["method"], run["session_id"]) for run in queue] == [("dpo", waiting["session_id"])]
    record = server.get(f"/sessions/{waiting['session_id']}")
    series = server.get(f"/sessions/{waiting['session_id']}/metrics")["series"]
    assert (record["method"], record["state"]) == ("dpo", "completed")
    assert all(0 <= value <= 1 for value in series["validation"]["val_accuracy"])
