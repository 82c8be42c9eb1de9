"""Two adapters trained by the app, merged and proven by a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.live import Frame, frames_until, has_ended, listening
from tests.service.server import CHECKOUT, DEMO, Server, start_server

pytestmark = pytest.mark.engine

CHAT = CHECKOUT / "test_data" / "demo" / "chat"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two adapters of different rank, scale and layers, on the demo's chat rows."""
    server = start_server(tmp_path_factory.mktemp("fusion") / "data root")
    request = {
        "model_path": str(DEMO), "train_data_path": str(CHAT / "train.jsonl"),
        "val_data_path": str(CHAT / "valid.jsonl"), "iterations": 8, "batch_size": 4,
        "max_seq_length": 128, "steps_per_report": 4, "steps_per_eval": 8,
    }  # fmt: skip
    for name, changes in {
        "wide": {"lora_rank": 8, "lora_alpha": 16.0},
        "flat": {"lora_rank": 4, "lora_alpha": 4.0, "lora_num_layers": 2, "seed": 7},
    }.items():
        with listening(server) as socket:
            server.post("/training/start", request | {"adapter_name": name} | changes)
            frames_until(socket, lambda frame: frame["type"] == "training_started")
            ended = frames_until(socket, has_ended)[-1]
        assert ended["type"] == "training_completed", ended
    yield server
    server.stop()


def fuse(server: Server, body: dict[str, Any]) -> list[Frame]:
    with listening(server) as socket:
        server.post("/api/fusion/fuse", body)
        return frames_until(
            socket,
            lambda frame: (
                frame["type"] in {"job_completed", "job_error"}
                and frame["data"]["kind"] == "fusion"
            ),
        )


def test_two_adapters_become_one_and_all_four_are_scored_on_the_same_rows(
    trained: Server,
) -> None:
    listed = trained.get("/api/fusion/list-adapters")["adapters"]
    assert [(one["name"], one["rank"], one["problem"]) for one in listed] == [
        ("flat", 4, None),
        ("wide", 8, None),
    ]
    assert trained.get("/api/fusion/status")["has_result"] is False
    checked = trained.client.post("/api/fusion/validate", json=["wide", "flat"]).json()
    assert (checked["compatible"], checked["rank"]) == (True, 12)
    assert checked["output_name"] == "fused_wide_flat"

    names = ["wide", "flat"]
    frames = fuse(trained, {"adapter_names": names, "output_name": "both", "weights": [0.7, 0.3]})

    assert frames[-1]["type"] == "job_completed", frames[-1]
    shares = [f["data"]["progress"] for f in frames if f["type"] == "job_progress"]
    assert shares == sorted(shares)
    status = trained.get("/api/fusion/status")
    assert (status["status"], status["progress"]) == ("completed", 100.0)
    result = trained.get("/api/fusion/result")
    assert result == status["result"]
    info = result["fusion_info"]
    assert (info["output_rank"], info["relative_error"]) == (12, 0.0)
    assert [(one["name"], one["weight"]) for one in result["sources"]] == [
        ("wide", 0.7),
        ("flat", 0.3),
    ]
    proof = result["proof"]
    assert [one["label"] for one in proof["targets"]] == ["base", "wide", "flat", "both"]
    assert proof["rows"] > 10
    for target in proof["targets"]:
        loss = target["loss"]
        assert loss["low"] < loss["mean"] < loss["high"]
        assert target["sets"][0]["loss"] > 0
        assert target["sets"][0]["difference"]["rows"] > 1
    losses = [target["loss"]["mean"] for target in proof["targets"]]
    assert len(set(losses)) == 4
    assert proof["targets"][0]["changed"] == 0

    folder = Path(info["output_path"])
    lineage = json.loads((folder / "droid.json").read_text())
    assert [one["name"] for one in lineage["fusion"]["sources"]] == names
    assert not list(folder.parent.glob(".fusing-*"))
    answer = trained.post(
        "/models/inference",
        {"prompt": "Hello", "model_name": DEMO.name, "adapter_name": "both", "max_tokens": 4},
    )
    assert answer["response"] is not None


def test_what_does_not_fit_is_refused_before_anything_is_begun(trained: Server) -> None:
    def refused(body: dict[str, Any]) -> tuple[int, str]:
        answer = trained.client.post("/api/fusion/fuse", json=body)
        return answer.status_code, answer.json()["detail"]

    assert refused({"adapter_names": ["wide", "flat"], "output_name": "wide"})[0] == 409
    code, detail = refused({"adapter_names": ["wide", "nobody"]})
    assert (code, "nobody" in detail) == (404, True)
    assert refused({"adapter_names": ["wide"]})[0] == 422
    code, detail = refused({"adapter_names": ["wide", "flat"], "weights": [1.0]})
    assert (code, "1 values for 2 adapters" in detail) == (422, True)
    unfit = trained.client.post("/api/fusion/validate", json=["wide", "wide"]).json()
    assert (unfit["compatible"], "twice" in unfit["error"]) == (False, True)


def test_a_stopped_fusion_leaves_nothing_and_the_next_may_start(trained: Server) -> None:
    body = {"adapter_names": ["wide", "flat"], "output_name": "gone", "method": "ties"}
    started = trained.post("/api/fusion/fuse", body)
    assert trained.client.post("/api/fusion/reset").status_code == 409
    trained.post("/api/fusion/stop")

    status = trained.get("/api/fusion/status")
    assert (status["status"], status["job_id"]) == ("stopped", started["job_id"])
    adapters = trained.data_dir / "adapters"
    assert sorted(path.name for path in adapters.iterdir() if path.name[0] != ".")[-1] == "wide"
    assert not list(adapters.glob(".fusing-*"))
    trained.post("/api/fusion/reset")
    status = trained.get("/api/fusion/status")
    assert (status["status"], status["has_result"]) == ("idle", True)  # Of the first test.
