"""The demo model, quantised by a job of a real server and loaded by plain mlx_lm."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import run

import psutil
import pytest

from tests.core.test_process import becomes_true
from tests.service.live import Frame, frames_until, listening
from tests.service.server import DEMO, Server

pytestmark = pytest.mark.engine

CONVERT = "backend.engines.convert"

ASK = (
    "import sys; from mlx_lm import load, generate; model, tokenizer = load(sys.argv[1]); "
    "print(generate(model, tokenizer, 'Hello', max_tokens=4)); print(model.layers[0].mlp.up_proj)"
)


def is_end(frame: Frame) -> bool:
    return frame["type"] in {"job_completed", "job_error"}


def names_in(server: Server) -> list[str]:
    return sorted(path.name for path in (server.data_dir / "models").glob("*"))


def test_the_demo_model_is_quantised_and_plain_mlx_lm_loads_it(server: Server) -> None:
    asked = {"source": "droid-demo", "output_name": "demo-4bit", "quantize": 4}
    before = server.get("/models/convert/estimate", source="droid-demo", quantize=4)
    assert before["output_name"] == "droid-demo-4bit"

    with listening(server) as socket:
        started = server.post("/models/convert", asked)
        assert started["source"] == "droid-demo"
        end = frames_until(socket, is_end)[-1]

    assert (end["type"], end["data"]["kind"]) == ("job_completed", "conversion"), end
    result = server.get("/models/convert")["result"]
    assert result["size_bytes"] == pytest.approx(before["size_bytes"], rel=0.02)
    models = {model["name"]: model for model in server.get("/models")["models"]}
    made = models["demo-4bit"]
    assert (made["problem"], made["own"], made["chat_template"]) == (None, True, True)
    assert made["source"]["converted_from"]["path"] == str(DEMO)
    asked_of = run(
        [sys.executable, "-c", ASK, made["path"]], capture_output=True, text=True, check=True
    )
    assert "QuantizedLinear" in asked_of.stdout
    again = server.get("/models/convert/estimate", source="droid-demo", quantize=4)
    assert again["seconds"] > 0
    assert server.client.delete("/models/demo-4bit").status_code == 200
    assert names_in(server) == []


def test_a_conversion_that_is_stopped_or_killed_leaves_nothing(server: Server) -> None:
    asked = {"source": "droid-demo", "output_name": "demo-8bit", "quantize": 8}
    with listening(server) as socket:
        server.post("/models/convert", asked)
        refused = server.client.post("/models/convert", json=asked)
        assert (refused.status_code, refused.json()["error"]) == (409, "JobActive")
        assert server.post("/models/convert/stop")["state"] == "stopped"
        frames_until(socket, is_end)
        assert names_in(server) == []

        job = server.post("/models/convert", asked)["job_id"]
        engine = engine_of(server)
        engine.send_signal(signal.SIGSTOP)
        request = server.data_dir / "jobs" / "conversion" / job / "request.json"
        staging = Path(json.loads(request.read_text())["staging"])
        staging.mkdir(parents=True, exist_ok=True)
        (staging / "model.safetensors").write_bytes(b"half of it")
        engine.send_signal(signal.SIGKILL)
        end = frames_until(socket, is_end)[-1]

    assert end["type"] == "job_error"
    assert names_in(server) == []


def engine_of(server: Server) -> psutil.Process:
    """Once it runs: until then a child still has its parent's command."""
    parent = psutil.Process(server.process.pid)

    def converting() -> list[psutil.Process]:
        found = []
        for one in parent.children(recursive=True):
            with suppress(psutil.Error):  # An earlier one that is ending.
                found += [one] if CONVERT in one.cmdline() else []
        return found

    assert becomes_true(lambda: bool(converting()))
    (engine,) = converting()
    return engine
