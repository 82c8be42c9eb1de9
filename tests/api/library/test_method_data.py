"""Data files for training methods over HTTP: checked line by line, and made as samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.data.tasks.client import SMALL
from backend.settings import CHECKOUT
from backend.training.request.methods_table import METHODS
from tests.api.live import Live

DEMO = CHECKOUT / "test_data" / "demo"


def post(live: Live, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = live.client.post(f"/api/training/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["success"] is (status == 200)
    return answer.json()


@pytest.mark.parametrize("method", METHODS)
def test_samples_of_each_method_pass_its_own_validation(
    live: Live, tmp_path: Path, method: str
) -> None:
    path = tmp_path / "made.jsonl"

    made = post(live, "generate-sample-data", {"method": method, "output_path": str(path)})
    report = post(live, "validate-data", {"method": method, "data_path": str(path)})

    assert (made["method"], made["sample_count"], made["output_path"]) == (method, 10, str(path))
    assert (report["valid"], report["num_samples"], report["errors"]) == (True, 10, [])
    assert report["error"] is None


def test_a_relative_path_is_under_the_data_folder(live: Live) -> None:
    made = post(live, "generate-sample-data", {"method": "dpo", "output_path": "tries/dpo.jsonl"})

    assert made["output_path"] == str(live.settings.datasets_dir / "tries" / "dpo.jsonl")


def test_what_is_wrong_is_told_by_line(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"prompt": "q", "answer": "a"}\n{"prompt": "q"}\n{\n', encoding="utf-8")

    report = post(live, "validate-data", {"method": "grpo", "data_path": str(path)})

    assert (report["valid"], report["num_samples"], report["error_count"]) == (False, 1, 2)
    assert [error["line"] for error in report["errors"]] == [2, 3]
    assert report["message"] == "1 row of bad.jsonl can be used, 2 can not."
    assert report["error"].startswith("Line 2 has no 'answer'.")


def test_a_folder_means_its_training_file_and_another_form_what_it_can_become(live: Live) -> None:
    report = post(live, "validate-data", {"method": "gspo", "data_path": str(DEMO / "chat")})

    assert (report["valid"], report["format"], report["convertible_to"]) == (False, "chat", "grpo")


def test_a_large_file_is_checked_to_its_last_line(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    row = json.dumps({"prompt": "q" * 1000, "answer": "a"}) + "\n"
    count = SMALL // len(row) + 10
    path.write_text(row * count + '{"prompt": "q"}\n', encoding="utf-8")

    report = post(live, "validate-data", {"method": "grpo", "data_path": str(path)})

    assert (report["num_samples"], report["error_count"]) == (count, 1)
    assert report["errors"][0]["line"] == count + 1


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("validate-data", {"method": "grpoo", "data_path": "x"}, 422, "method"),
        ("validate-data", {"method": "grpo", "data_path": "/none.jsonl"}, 404, "data_path"),
        ("validate-data", {"method": "grpo", "data_path": "\0"}, 404, "data_path"),
        ("validate-data", {"method": "grpo"}, 422, "data_path"),
        ("generate-sample-data", {"method": "x", "output_path": "a.jsonl"}, 422, "method"),
        ("generate-sample-data", {"method": "dpo", "output_path": "EXISTS"}, 409, "output_path"),
        ("generate-sample-data", {"method": "dpo", "output_path": "a.txt"}, 422, "output_path"),
        (
            "generate-sample-data",
            {"method": "dpo", "output_path": "/none/a.jsonl"},
            404,
            "output_path",
        ),
        (
            "generate-sample-data",
            {"method": "dpo", "output_path": "b.jsonl", "num_samples": 0},
            422,
            "num_samples",
        ),
        (
            "generate-sample-data",
            {"method": "dpo", "output_path": "b.jsonl", "num_samples": 100_000},
            422,
            "num_samples",
        ),
    ],
)
def test_refusals_name_the_field_and_write_nothing(
    live: Live, tmp_path: Path, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    there = tmp_path / "there.jsonl"
    there.write_text("kept\n", encoding="utf-8")
    sent = {name: str(there) if value == "EXISTS" else value for name, value in body.items()}

    answer = post(live, path, sent, status)

    assert field in [problem["field"] for problem in answer["errors"]]
    assert there.read_text(encoding="utf-8") == "kept\n"
    assert not (live.settings.datasets_dir / "b.jsonl").exists()
