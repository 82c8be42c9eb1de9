"""The main job through REST and WebSocket, with the real engine on the demo model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import safe_open

from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from tests.service.live import at_step, frames_until, has_ended, listening, next_frame
from tests.service.server import CHECKOUT, DEMO, Server, start_server

pytestmark = pytest.mark.engine

MATRICES = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
]


def run_to_the_end(server: Server, request: dict[str, Any]) -> list[dict[str, Any]]:
    with listening(server) as socket:
        assert next_frame(socket)["type"] == "training_state"
        server.post("/training/start", request)
        return frames_until(socket, has_ended)


def test_the_demo_run_halves_its_loss_and_its_adapter_speaks_in_the_trained_style(
    server: Server,
) -> None:
    models = {model["name"]: model for model in server.get("/models")["models"]}
    demo = models["droid-demo"]
    assert demo["problem"] is None
    request = {"model_path": demo["path"], **demo["defaults"]}

    frames = run_to_the_end(server, request)

    assert frames[-1]["type"] == "training_completed", frames[-1]
    session_id = frames[-1]["session_id"]
    series = server.get(f"/sessions/{session_id}/metrics")["series"]
    losses = series["validation"]["val_loss"]
    assert min(losses) <= losses[0] / 2
    record = server.get(f"/sessions/{session_id}")
    adapter = Path(record["adapter_path"]).parent
    style, base = spoken_style(adapter), spoken_style(None)
    assert style >= 8, f"{style} of 10 tuned answers show the style"
    assert base == 0, f"{base} of 10 base answers show the style"


def spoken_style(adapter: Path | None) -> int:
    """How many of the 10 held-out prompts are answered in the trained style, by mlx-lm itself."""
    script = CHECKOUT / "tests" / "service" / "speak.py"
    prompts = CHECKOUT / "test_data" / "demo" / "held_out_prompts.json"
    answer = subprocess.run(
        [
            sys.executable,
            str(script),
            str(DEMO),
            str(prompts),
            *([str(adapter)] if adapter else []),
        ],
        capture_output=True,
        text=True,
        env=engine_environment(read_settings()),
        check=True,
    )
    answers: list[str] = json.loads(answer.stdout.splitlines()[-1])
    assert len(answers) == 10
    return sum("Ahoy" in text and "Arr" in text for text in answers)


def test_full_layer_lora_reaches_yaml_adapter_session_and_log(
    server: Server, demo_request: dict[str, Any]
) -> None:
    frames = run_to_the_end(server, demo_request | {"test": True})

    assert frames[-1]["type"] == "training_completed", frames[-1]
    session_id = frames[-1]["session_id"]
    record = server.get(f"/sessions/{session_id}")
    assert record["metrics"]["test_loss"] > 0
    assert record["metrics"]["test_perplexity"] > 1
    folder = server.data_dir / "sessions" / session_id
    config = yaml.safe_load((folder / "config.yaml").read_text())
    adapter = server.data_dir / "adapters" / "short_run"
    written = json.loads((adapter / "adapter_config.json").read_text())
    for source in (config, written):
        assert source["num_layers"] == -1
        assert source["fine_tune_type"] == "lora"
        lora = source["lora_parameters"]
        assert (lora["rank"], lora["scale"], lora["dropout"]) == (32, 32.0, 0.0)
        assert sorted(lora["keys"]) == sorted(MATRICES)
    assert config["learning_rate"] == 1e-4
    assert sorted(record["lora"]["keys"]) == sorted(MATRICES)
    assert record["config"]["lora_alpha"] == 32.0

    layers = json.loads((DEMO / "config.json").read_text())["num_hidden_layers"]
    wanted = {
        f"model.layers.{layer}.{matrix}.lora_{side}"
        for layer in range(layers)
        for matrix in MATRICES
        for side in "ab"
    }
    trained = 0
    with safe_open(adapter / "adapters.safetensors", "numpy") as tensors:
        assert set(tensors.keys()) == wanted
        trained = sum(tensors.get_tensor(name).size for name in wanted)
    assert record["lora"]["trainable_parameters"] == trained
    assert (adapter / "best_adapters.safetensors").is_file()
    log = "\n".join(server.get("/training/logs", limit=1000)["logs"])
    assert "rank" in log
    assert "alpha" in log
    assert "down_proj" in log
    assert "Trainable parameters" in log


def test_what_the_start_was_warned_of_is_heard_from_the_run(
    server: Server, demo_request: dict[str, Any]
) -> None:
    demo_request |= {"val_data_path": "", "iterations": 2}
    with listening(server) as socket:
        answer = server.post("/training/start", demo_request)
        frames = frames_until(socket, has_ended)

    alerts = [frame["data"] for frame in frames if frame["type"] == "training_alert"]
    heard = {alert["code"]: alert["message"] for alert in alerts}
    assert heard["validation_split"] in answer["warnings"]
    assert heard["strong_scaling"] in answer["warnings"]
    events = server.data_dir / "sessions" / answer["session_id"] / "events.jsonl"
    numbers = [json.loads(line)["seq"] for line in events.read_text().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_adapter_loads_in_plain_mlx_lm_generate(
    server: Server, demo_request: dict[str, Any]
) -> None:
    run_to_the_end(server, demo_request)

    command = [sys.executable, "-m", "mlx_lm", "generate", "--model", str(DEMO)]
    command += ["--adapter-path", str(server.data_dir / "adapters" / "short_run")]
    command += ["--prompt", "Name a fruit.", "--max-tokens", "8", "--temp", "0"]
    answer = subprocess.run(
        command, capture_output=True, text=True, env=engine_environment(read_settings())
    )
    assert answer.returncode == 0, answer.stderr
    assert "Generation:" in answer.stdout


def test_a_server_killed_mid_run_adopts_the_run_and_the_curve_has_no_hole(
    tmp_path: Path, demo_request: dict[str, Any]
) -> None:
    demo_request |= {"iterations": 120, "steps_per_report": 1, "steps_per_eval": 40}
    server = start_server(tmp_path / "data")
    with listening(server) as socket:
        server.post("/training/start", demo_request)
        frames_until(socket, at_step(5))
    before = server.get("/training/status")
    server.kill()

    again = start_server(tmp_path / "data", port=server.port)
    try:
        with listening(again) as socket:
            snapshot = next_frame(socket)["data"]
            assert snapshot["state"] == "running"
            assert snapshot["session_id"] == before["session_id"]
            assert again.get("/training/status")["pid"] == before["pid"]
            frames = frames_until(socket, has_ended)
        assert frames[-1]["type"] == "training_completed", frames[-1]
        series = again.get(f"/sessions/{before['session_id']}/metrics")["series"]
        assert series["train"]["step"] == list(range(1, 121))
    finally:
        again.stop()


def test_stop_and_save_keeps_the_current_weights_and_ends_stopped(
    server: Server, demo_request: dict[str, Any]
) -> None:
    demo_request |= {"iterations": 5000, "save_every": 5000}
    with listening(server) as socket:
        server.post("/training/start", demo_request)
        frames_until(socket, at_step(4))
        stopped = server.post("/training/stop", {"save": True})
        frames = frames_until(socket, has_ended)

    assert stopped["status"] == "stopped"
    assert frames[-1]["type"] == "training_stopped", frames[-1]
    assert server.get("/training/status")["state"] == "stopped"
    assert (server.data_dir / "adapters" / "short_run" / "adapters.safetensors").is_file()
