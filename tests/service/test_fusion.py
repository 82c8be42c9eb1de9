"""Two adapters trained by the app, merged and proven by a real server."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.core.process import MARK
from tests.service.live import Frame, frames_until, has_ended, listening
from tests.service.server import CHECKOUT, DEMO, Server, start_server

pytestmark = pytest.mark.engine

CHAT = CHECKOUT / "test_data" / "demo" / "chat"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two adapters of different rank, scale and layers, on the demo's chat rows."""
    root = tmp_path_factory.mktemp("fusion")
    # Each proof scores every held-out row, several times: a dozen show as much as forty.
    (root / "valid.jsonl").write_text("".join(held_out_rows()[:12]))
    server = start_server(root / "data root")
    request = {
        "model_path": str(DEMO), "train_data_path": str(CHAT / "train.jsonl"),
        "val_data_path": str(root / "valid.jsonl"), "iterations": 8, "batch_size": 4,
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


def held_out_rows() -> list[str]:
    return (CHAT / "valid.jsonl").read_text().splitlines(keepends=True)


def run_job(server: Server, kind: str, path: str, body: dict[str, Any]) -> list[Frame]:
    """Start one and hear it to its end."""
    with listening(server) as socket:
        server.post(path, body)
        return frames_until(
            socket,
            lambda frame: (
                frame["type"] in {"job_completed", "job_error"} and frame["data"]["kind"] == kind
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
    body = {"adapter_names": names, "output_name": "both", "weights": [0.7, 0.3]}
    frames = run_job(trained, "fusion", "/api/fusion/fuse", body)

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


def export(server: Server, kind: str, **more: Any) -> dict[str, Any]:
    body = {"adapter_name": "wide", "format": kind} | more
    frames = run_job(server, "export", "/api/fusion/export-model", body)
    assert frames[-1]["type"] == "job_completed", frames[-1]
    shares = [f["data"]["progress"] for f in frames if f["type"] == "job_progress"]
    assert shares == sorted(shares)
    result: dict[str, Any] = server.get("/api/fusion/export-result")
    assert result == server.get("/api/fusion/export-status")["result"]
    names = {path.name for path in Path(result["merged_dir"]).iterdir()}
    assert {"README.md", "droid.json"} <= names
    assert not list(Path(result["merged_dir"]).parent.glob(".exporting-*"))
    return result


def test_every_format_says_its_size_and_whether_it_can_be(trained: Server) -> None:
    without = trained.get("/api/fusion/export-formats")
    assert {one["size"] for one in without} == {None}
    listed = trained.get("/api/fusion/export-formats", adapter_name="wide")
    assert [one["id"] for one in listed] == [
        "merged", "merged_q8", "merged_q4", "peft", "gguf_f16", "gguf_q8", "gguf_q5", "gguf_q4",
    ]  # fmt: skip
    assert all(one["available"] and one["size"] > 0 for one in listed), listed
    programs = trained.get("/api/fusion/export-programs")
    assert [one["id"] for one in programs] == ["ollama", "lm_studio"]
    assert all(one["available"] or one["reason"] for one in programs)


def test_a_merged_export_scores_as_the_adapter_does_and_a_quantised_one_is_measured(
    trained: Server,
) -> None:
    merged = export(trained, "merged", output_name="whole")

    base, adapter, model = merged["proof"]["targets"]
    assert (base["label"], adapter["label"], model["label"]) == ("base", "wide", "whole")
    assert model["loss"]["mean"] == pytest.approx(adapter["loss"]["mean"], abs=0.01)
    assert abs(base["loss"]["mean"] - adapter["loss"]["mean"]) > 0.01
    assert merged["worse"] is False
    assert merged["smoke"]["text"]
    card = (Path(merged["merged_dir"]) / "README.md").read_text()
    assert "droid-demo" in card
    assert f"{model['loss']['mean']:.4g}" in card

    small = export(trained, "merged_q4")
    assert small["output_name"] == "wide-merged_q4"
    assert small["quantisation"]["bits_per_weight"] < 7
    assert small["bytes"] < merged["bytes"]
    assert small["proof"]["targets"][2]["loss"]["mean"] != model["loss"]["mean"]
    # The next one has a time: this machine has exported that format once.
    again = trained.get("/api/fusion/export-formats", adapter_name="wide")
    assert next(one for one in again if one["id"] == "merged_q4")["seconds"] > 0


def test_a_fused_adapter_is_scored_on_the_rows_of_its_sources(trained: Server) -> None:
    if not (trained.data_dir / "adapters" / "both").is_dir():
        body = {"adapter_names": ["wide", "flat"], "output_name": "both"}
        run_job(trained, "fusion", "/api/fusion/fuse", body)

    exported = export(trained, "merged", adapter_name="both")

    labels = [one["label"] for one in exported["proof"]["targets"]]
    assert labels == ["base", "both", "both-merged"]


def test_peft_and_gguf_exports_are_tested_and_say_why_they_are_not_scored(
    trained: Server,
) -> None:
    peft = export(trained, "peft")
    assert "same adapter" in peft["unproven"]
    assert peft["proof"] is None
    back = trained.post("/adapters/import", {"path": peft["merged_dir"], "name": "returned"})
    assert back["scale"] == 16.0

    gguf = export(trained, "gguf_q8")
    assert gguf["gguf_path"].endswith(".gguf")
    assert Path(gguf["gguf_path"]).read_bytes()[:4] == b"GGUF"
    assert Path(gguf["modelfile_path"]).is_file()
    assert "GGUF" in gguf["unproven"]


def test_an_export_that_can_not_be_is_refused_before_anything_is_written(trained: Server) -> None:
    def refused(**body: Any) -> tuple[int, str]:
        answer = trained.client.post(
            "/api/fusion/export-model", json={"adapter_name": "wide", "format": "merged"} | body
        )
        return answer.status_code, answer.json()["detail"]

    before = names_in(trained.data_dir / "exports")
    (trained.data_dir / "exports" / "whole").mkdir(parents=True, exist_ok=True)
    assert refused(output_name="whole")[0] == 409
    assert refused(adapter_name="nobody")[0] == 404
    assert refused(format="exe")[0] == 422
    code, detail = refused(import_to_ollama=True)
    assert (code, "GGUF" in detail) == (400, True)
    assert refused(recipe="mixed_4_6")[0] == 400
    assert names_in(trained.data_dir / "exports") <= before | {"whole"}


def test_an_engine_killed_at_any_moment_leaves_nothing_half_finished(trained: Server) -> None:
    exports = trained.data_dir / "exports"
    before = names_in(exports)
    sources = {
        path: path.read_bytes() for path in (trained.data_dir / "adapters").rglob("*.safet*")
    }
    moments = random.Random(11)
    for number in range(3):
        body = {"adapter_name": "wide", "format": "merged", "output_name": f"killed_{number}"}
        with listening(trained) as socket:
            trained.post("/api/fusion/export-model", body)
            threading.Event().wait(moments.uniform(0.0, 4.0))  # Any moment: that is what is tried.
            kill_marked(trained.data_dir / "jobs" / "export")
            frames_until(socket, lambda frame: frame["type"] in {"job_completed", "job_error"})
        status = trained.get("/api/fusion/export-status")["status"]
        left = names_in(exports) - before
        assert (status, left) in [("error", set()), ("completed", {f"killed_{number}"})]
        before |= left
    assert sources == {path: path.read_bytes() for path in sources}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def kill_marked(folder: Path) -> int:
    """Kill every process that carries the mark of a job in that folder; how many there were."""
    count = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder.resolve()) in process.environ().get(MARK, ""):
                process.kill()
                count += 1
    return count
