"""Reward functions over HTTP: listed, looked at, trusted and tried; refusals say success: false."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.settings import CHECKOUT, read_settings
from tests.api.live import Live, serving

BASE = "/api/training/reward-functions"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("data root")
    made = read_settings(
        {"DROID_PYTHON": sys.executable, "DROID_SPARE_MINUTES": "0"}, data_dir=str(root)
    )
    with serving(made) as server:
        yield server


def post(live: Live, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = live.client.post(f"{BASE}{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["success"] is (status == 200)
    return answer.json()


def test_functions_are_listed_with_their_ranges(live: Live) -> None:
    answer = live.client.get(BASE).json()

    named = {function["name"]: function for function in answer["functions"]}
    assert answer["success"] is True
    assert named["token_f1"]["maximum"] == 1.0
    assert named["r1_accuracy_reward_func"]["source"] == "engine"


def test_a_file_is_looked_at_trusted_used_and_asked_for_again_when_it_changes(
    live: Live, tmp_path: Path
) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "def own(prompts, completions, answer, types=None):\n    return [0.5] * len(answer)\n",
        encoding="utf-8",
    )
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps({"prompt": "q", "answer": "a"}) + "\n", encoding="utf-8")
    attempt = {
        "reward_functions": "own",
        "reward_functions_file": str(path),
        "data_path": str(data),
        "samples": 1,
    }

    refused = post(live, "/try", attempt, 409)
    code = post(live, "/inspect", {"path": str(path)})
    post(live, "/trust", {"path": str(path), "sha256": "0" * 64}, 409)
    trusted = post(live, "/trust", {"path": str(path), "sha256": code["sha256"]})
    tried = post(live, "/try", attempt)
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    changed = post(live, "/try", attempt, 409)
    forgotten = post(live, "/untrust", {"path": str(path)})

    assert refused["error"] == "NotTrusted"
    assert (code["trusted"], code["functions"][0]["name"]) == (False, "own")
    assert trusted["files"][0]["state"] == "trusted"
    assert tried["samples"][0]["total"] == 0.5
    assert "has changed since it was trusted" in changed["detail"]
    assert forgotten["files"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/try", {"reward_functions": "nope", "data_path": "DATA"}, 422, "reward_functions"),
        ("/try", {"reward_functions": "token_f1", "data_path": "/none"}, 404, "data_path"),
        ("/try", {"data_path": "DATA", "samples": 0}, 422, "samples"),
        ("/try", {"data_path": "DATA", "reward_weights": "x"}, 422, "reward_weights"),
        ("/try", {"data_path": "DATA", "reward_weights": "[1]"}, 422, "reward_weights"),
        ("/inspect", {"path": "/none.py"}, 404, "reward_functions_file"),
        ("/trust", {"path": "/none.py", "sha256": "x"}, 422, "sha256"),
        ("/try", {"data_pth": "DATA"}, 422, "data_path"),
    ],
)
def test_refusals_name_the_field_and_say_that_it_did_not_work(
    live: Live, tmp_path: Path, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps({"prompt": "q", "answer": "a"}) + "\n", encoding="utf-8")
    sent = {name: str(data) if value == "DATA" else value for name, value in body.items()}

    answer = post(live, path, sent, status)

    assert field in [problem["field"] for problem in answer["errors"]]
    assert answer["detail"]


def test_a_body_that_is_no_json_says_so_too(live: Live) -> None:
    answer = live.client.post(
        f"{BASE}/try", content=b"{", headers={"content-type": "application/json"}
    )

    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_other_routes_say_nothing_of_success(live: Live) -> None:
    answer = live.client.post("/api/datasets/inspect", json={"path": "/none"})

    assert "success" not in answer.json()


def test_a_run_with_an_untrusted_or_changed_file_is_refused_before_anything_starts(
    live: Live, tmp_path: Path
) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\n"
        "def own(prompts, completions, answer, types=None):\n    return [0.5] * len(answer)\n",
        encoding="utf-8",
    )
    request = {
        "training_method": "grpo",
        "model_path": str(CHECKOUT / "test_data" / "models" / "droid-demo"),
        "train_data_path": str(CHECKOUT / "test_data" / "demo" / "grpo"),
        "adapter_name": "never_made",
        "reward_functions": "own",
        "reward_functions_file": str(path),
    }

    def start() -> Any:
        answer = live.client.post("/api/training/start-enhanced", json=request)
        assert answer.status_code == 409, answer.text
        return answer.json()

    untrusted = start()
    code = post(live, "/inspect", {"path": str(path)})
    post(live, "/trust", {"path": str(path), "sha256": code["sha256"]})
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    changed = start()

    assert (untrusted["success"], untrusted["error"]) == (False, "NotTrusted")
    assert "has changed since it was trusted" in changed["detail"]
    assert not (tmp_path / "ran").exists()
    assert not (live.settings.adapters_dir / "never_made").exists()
    assert live.client.get("/sessions").json()["sessions"] == []
    post(live, "/untrust", {"path": str(path)})
