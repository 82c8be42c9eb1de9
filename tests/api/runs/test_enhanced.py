"""The enhanced tab over HTTP: methods, estimates, and refusals that say success: false."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.settings import CHECKOUT, read_settings
from tests.api.live import Live, serving

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
ROWS = CHECKOUT / "test_data" / "demo"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("data root")
    made = read_settings(
        {"DROID_PYTHON": sys.executable, "DROID_SPARE_MINUTES": "0"}, data_dir=str(root)
    )
    with serving(made) as server:
        yield server


def asked(**fields: Any) -> dict[str, Any]:
    known = {
        "training_method": "grpo",
        "model_path": str(DEMO),
        "train_data_path": str(ROWS / "grpo" / "train.jsonl"),
    }
    return known | fields


def refused(live: Live, body: dict[str, Any], status: int) -> Any:
    answer = live.client.post("/api/training/start-enhanced", json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()
    assert error["success"] is False
    assert error["error"] and error["detail"]
    return error


def test_the_methods_are_listed_for_the_form(live: Live) -> None:
    answer = live.client.get("/api/training/methods").json()

    assert answer["success"] is True
    assert list(answer["methods"])[:4] == ["sft", "gspo", "dr_grpo", "grpo"]
    for method in answer["methods"].values():
        assert {
            "display_name", "description", "complexity", "use_case", "badge",
            "resource_intensity", "estimated_speedup", "data_format",
            "requires_reasoning_chains", "additional_params",
        } <= set(method)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"group_size": -4}, 422, "group_size"),
        ({"temperature": 3}, 422, "temperature"),
        ({"training_method": "grppo"}, 422, "training_method"),
        ({"train_data_path": "/nowhere/rows.jsonl"}, 404, "train_data_path"),
        ({"model_path": "/nowhere/model"}, 404, "model_path"),
        ({"train_data_path": str(ROWS / "chat" / "train.jsonl")}, 400, "train_data_path"),
        ({"reward_functions": "token_f2"}, 422, "reward_functions"),
    ],
)
def test_a_start_that_can_t_be_is_refused_with_its_field(
    live: Live, fields: dict[str, Any], status: int, field: str
) -> None:
    error = refused(live, asked(**fields), status)

    assert field in [problem["field"] for problem in error["errors"]]


def test_an_unknown_field_is_answered_with_the_nearest(live: Live) -> None:
    error = refused(live, asked(grop_size=4), 422)

    assert error["errors"] == [
        {"field": "grop_size", "message": "There is no field grop_size. Did you mean group_size?"}
    ]


def test_a_preview_starts_nothing(live: Live, tmp_path: Path) -> None:
    answer = live.client.post(
        "/api/training/preview-enhanced", json=asked(reward_functions="token_f1")
    )

    shown = answer.json()
    assert answer.status_code == 200, answer.text
    assert "train_mode: grpo" in shown["config_yaml"]
    assert shown["lora"]["keys"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert shown["memory"]["estimate_gb"] > 0.01
    assert shown["data"]["rows"] + shown["data"]["valid_rows"] == 360
    assert live.client.get("/training/status").json()["state"] == "idle"


def test_an_estimate_comes_from_the_models_own_sizes(live: Live) -> None:
    body = {"method": "grpo", "model_path": str(DEMO), "max_seq_length": 128, "dataset_size": 1000}
    lean = live.client.post("/api/training/estimate-resources", json=body).json()
    body |= {"fine_tune_type": "full", "batch_size": 8, "group_size": 8}
    full = live.client.post("/api/training/estimate-resources", json=body).json()

    assert lean["success"] is full["success"] is True
    assert "reference" not in lean["estimation"]["parts"]
    assert full["estimation"]["parts"]["reference"] == full["estimation"]["parts"]["weights"]
    assert full["estimation"]["estimated_memory_gb"] > lean["estimation"]["estimated_memory_gb"]
    assert lean["estimation"]["estimated_time_hours"] is None, "nothing like it was ever run here"
    assert lean["estimation"]["relative_cost"] is None
    assert (
        lean["estimation"]["generations_per_step"],
        full["estimation"]["generations_per_step"],
    ) == (4, 64)
    assert any("one pass takes 1000" in text for text in lean["estimation"]["recommendations"])


def test_every_method_is_estimated_before_the_run_has_a_name(live: Live) -> None:
    methods = live.client.get("/api/training/methods").json()["methods"]
    for method in methods:
        body = {"method": method, "model_path": str(DEMO)}
        answer = live.client.post("/api/training/estimate-resources", json=body)
        assert answer.status_code == 200, f"{method}: {answer.text}"
        assert answer.json()["estimation"]["estimated_memory_gb"] > 0


def test_an_estimate_of_an_unknown_model_is_refused(live: Live) -> None:
    body = {"method": "grpo", "model_path": "7B"}
    answer = live.client.post("/api/training/estimate-resources", json=body)

    assert answer.status_code == 404
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    ("method", "headers", "content", "status"),
    [
        ("POST", {"host": "evil.example"}, b"{}", 403),
        ("POST", {"origin": "http://evil.example"}, b"{}", 403),
        ("POST", {"content-type": "text/plain"}, b"{}", 400),
        ("POST", {}, b" " * 3_000_000, 413),
        ("DELETE", {}, b"", 405),
        ("POST", {}, b"{", 400),
        ("POST", {}, b"{}", 422),
    ],
)
def test_every_refusal_says_success_false_from_the_door_on(
    live: Live, method: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    sent = {"content-type": "application/json", **headers}
    told, plain = (
        live.client.request(method, path, headers=sent, content=content)
        for path in ("/api/training/start-enhanced", "/api/training/start")
    )

    assert (told.status_code, plain.status_code) == (status, status)
    assert told.json()["success"] is False
    assert told.json()["error"] and told.json()["detail"]
    assert "success" not in plain.json()
