"""An adapter trained by the app, evaluated beside its base by a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from tests.service.live import Frame, frames_until, has_ended, listening
from tests.service.server import CHECKOUT, DEMO, Server, start_server

pytestmark = pytest.mark.engine

CHAT = CHECKOUT / "test_data" / "demo" / "chat"
ADAPTER = "short_run"
SMALL = {"adapter_name": ADAPTER, "num_questions": 6, "max_tokens": 12}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one adapter of a short run, trained on the demo's chat rows."""
    server = start_server(tmp_path_factory.mktemp("evaluation") / "data root")
    request = {
        "model_path": str(DEMO), "train_data_path": str(CHAT / "train.jsonl"),
        "val_data_path": str(CHAT / "valid.jsonl"), "adapter_name": ADAPTER, "iterations": 10,
        "batch_size": 4, "max_seq_length": 128, "steps_per_report": 5, "steps_per_eval": 10,
    }  # fmt: skip
    with listening(server) as socket:
        server.post("/training/start", request)
        frames_until(socket, lambda frame: frame["type"] == "training_started")
        ended = frames_until(socket, has_ended)[-1]
    assert ended["type"] == "training_completed", ended
    yield server
    server.stop()


def evaluate(server: Server, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], list[Frame]]:
    """Start one and hear it to its end; the answer to the start, and every frame."""
    with listening(server) as socket:
        started: dict[str, Any] = server.post(path, body)
        return started, until_end(socket, started["evaluation_id"])


def until_end(socket: ClientConnection, job: str) -> list[Frame]:
    def is_end(frame: Frame) -> bool:
        ends = frame["type"] in {"job_completed", "job_error"}
        return ends and bool(frame["data"]["job_id"] == job)

    return frames_until(socket, is_end)


def test_this_machine_is_measured_and_a_run_waits_for_that(trained: Server) -> None:
    with listening(trained) as socket:
        assert trained.get("/system")["benchmark"] is None
        started = trained.post("/system/benchmark", {})
        assert started["state"] == "starting"
        refused = trained.client.post("/api/evaluation/start", json=SMALL)
        assert (refused.status_code, refused.json()["error"]) == (409, "JobActive")
        assert "benchmark of this machine" in refused.json()["detail"]
        stopped = trained.post("/system/benchmark/stop", {})
        assert (stopped["state"], stopped["result"]) == ("stopped", None)

        trained.post("/system/benchmark", {})
        frames_until(socket, lambda frame: frame["type"] == "job_completed")
    measured = trained.get("/system")["benchmark"]
    assert measured["matmul_flops_per_second"] > 1e6
    assert trained.get("/system/benchmark")["result"] == measured


def test_base_and_adapter_answer_the_same_held_out_rows(trained: Server) -> None:
    started, frames = evaluate(trained, "/api/evaluation/compare", SMALL)
    assert frames[-1]["type"] == "job_completed", frames[-1]
    shares = [f["data"]["progress"] for f in frames if f["type"] == "job_progress"]
    assert shares == sorted(shares)

    status = trained.get("/api/evaluation/status")
    assert (status["running"], status["progress"], status["state"]) == (False, 100.0, "completed")
    result = trained.get("/api/evaluation/result")["result"]
    assert result["evaluation_id"] == started["evaluation_id"]
    assert Path(result["training_data_path"]).name == "valid.jsonl"  # The run's own copy.
    assert result["seen_rows"] == 0
    assert [target["label"] for target in result["targets"]] == ["base", ADAPTER]
    loss = next(metric for metric in result["metrics"] if metric["id"] == "loss")
    assert loss["difference"]["mean"] < 0  # Ten steps help.
    assert result["scores"]["overall"] is None  # Nobody judged, so nothing is made up.
    assert all(len(question["answers"]) == 2 for question in result["questions"])

    report = trained.client.get(f"/api/evaluation/{started['evaluation_id']}/report")
    assert report.headers["content-type"].startswith("text/markdown")
    assert "| Loss per token ↓ |" in report.text
    files = result["report_files"]
    assert Path(files["markdown"]).read_text("utf-8") == report.text
    assert json.loads(Path(files["json"]).read_text("utf-8"))["rows"] == 6


def test_rows_that_were_trained_on_are_marked(trained: Server) -> None:
    body = SMALL | {"training_data_path": str(CHAT / "train.jsonl"), "metrics": ["loss"]}
    started, _ = evaluate(trained, "/api/evaluation/start", body)
    result = trained.get(f"/api/evaluation/{started['evaluation_id']}")
    assert result["seen_rows"] == 6
    assert all(question["seen"] for question in result["questions"])
    assert any("were trained on" in warning for warning in started["warnings"])


def test_the_base_alone_can_be_evaluated(trained: Server) -> None:
    body = SMALL | {"evaluate_base_model": True, "metrics": ["perplexity"]}
    started, _ = evaluate(trained, "/api/evaluation/start", body)
    result = trained.get(f"/api/evaluation/{started['evaluation_id']}")
    assert result["is_base_model"]
    assert [target["label"] for target in result["targets"]] == ["base"]
    assert [metric["id"] for metric in result["metrics"]] == ["perplexity"]


def test_weights_and_perplexity_come_in_one_answer(trained: Server) -> None:
    result = trained.post("/api/evaluate/adapter", {"adapter_name": ADAPTER, "max_samples": 4})[
        "result"
    ]
    matrices = result["tier0"]["matrices"]
    assert len(matrices) == 7 * 4  # Every matrix of every layer.
    assert all(0 < one["relative"] < 1 for one in matrices)
    assert all(1 <= one["effective_rank"] <= one["rank"] == 32 for one in matrices)
    assert result["tier1"]["rows"] == 4
    assert result["base_model_comparison"]["ratio"] < 1
    base = trained.post("/api/evaluate/base-model", {"adapter_name": ADAPTER, "max_samples": 4})
    assert base["result"]["tier0"] is None
    assert base["result"]["tier1"]["perplexity"] == pytest.approx(
        result["base_model_comparison"]["base_perplexity"], rel=1e-4
    )


def test_what_is_measured_for_another_answer_is_no_evaluation_of_its_own(trained: Server) -> None:
    started, _ = evaluate(trained, "/api/evaluation/start", SMALL | {"metrics": ["length"]})
    before = trained.get("/api/evaluation/list")
    helper = trained.post("/api/evaluate/adapter", {"adapter_name": ADAPTER, "max_samples": 2})
    assert trained.get("/api/evaluation/list") == before
    newest = trained.get("/api/evaluation/result")["result"]
    assert newest["evaluation_id"] == started["evaluation_id"]
    assert trained.get(f"/api/evaluation/{helper['result']['evaluation_id']}")["rows_available"]


def test_one_that_is_stopped_leaves_no_result_and_the_next_one_works(trained: Server) -> None:
    long = SMALL | {"num_questions": 300, "training_data_path": str(CHAT / "train.jsonl")}
    with listening(trained) as socket:
        started = trained.post("/api/evaluation/start", long)
        again = trained.client.post("/api/evaluation/start", json=SMALL)
        assert again.status_code == 409
        assert ADAPTER in again.json()["detail"]
        kept = trained.client.delete(f"/adapters/{ADAPTER}")
        assert (kept.status_code, "an evaluation asks it" in kept.json()["detail"]) == (409, True)
        frames_until(socket, lambda frame: frame["type"] == "job_progress")
        trained.post("/api/evaluation/stop")
        ended = until_end(socket, started["evaluation_id"])[-1]
    assert ended["data"]["state"] == "stopped"
    gone = trained.client.get(f"/api/evaluation/{started['evaluation_id']}")
    assert gone.status_code == 409
    assert trained.client.post("/api/evaluation/stop").status_code == 409
    _, frames = evaluate(trained, "/api/evaluation/start", SMALL | {"metrics": ["loss"]})
    assert frames[-1]["type"] == "job_completed"


def test_a_server_that_was_killed_follows_the_evaluation_that_went_on(trained: Server) -> None:
    body = SMALL | {"num_questions": 40, "training_data_path": str(CHAT / "test.jsonl")}
    started = trained.post("/api/evaluation/compare", body)
    trained.kill()
    again = start_server(trained.data_dir)
    try:
        with listening(again) as socket:
            if again.get("/api/evaluation/status")["running"]:
                until_end(socket, started["evaluation_id"])
        status = again.get("/api/evaluation/status")
        assert (status["state"], status["evaluation_id"]) == ("completed", started["evaluation_id"])
        assert again.get("/api/evaluation/result")["result"]["num_questions"] == 40
    finally:
        again.stop()


def test_bad_input_is_refused_in_a_sentence_and_starts_nothing(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    try:
        for body, status, word in (
            ({"adapter_name": "nobody"}, 404, "nobody"),
            ({"adapter_name": "x", "num_questions": 0}, 422, "num_questions"),
            ({"adapter_name": "x", "metrics": ["bleu"]}, 422, "bleu"),
            ({"adapter_name": "x", "questions": 3}, 422, "num_questions"),
        ):
            answer = server.client.post("/api/evaluation/start", json=body)
            assert answer.status_code == status, answer.text
            told = answer.json()
            assert word in f"{told['detail']} {told['hint']} {told.get('errors')}"
        asked = {"adapter_name": "x", "tasks": ["a"] * 9}
        assert server.client.post("/api/evaluation/start", json=asked).status_code == 422
        offers = server.get("/api/evaluation/offers")
        assert (offers["judge"], offers["tasks"]) == (None, ["captain_style", "sums"])
        assert server.get("/api/evaluation/list") == {"evaluations": [], "damaged": []}
        assert server.client.get("/api/evaluation/result").status_code == 404
        assert server.client.get("/api/evaluation/..%2Fsessions").status_code in {404, 422}
    finally:
        server.stop()
