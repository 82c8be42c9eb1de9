"""Data files over HTTP: each route's answer, and its refusals in the common shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.live import Live


def rows(path: Path, count: int = 20) -> Path:
    turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ""}]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            turns[1]["content"] = f"A{number}"
            file.write(json.dumps({"messages": turns}) + "\n")
    return path


def post(live: Live, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = live.client.post(f"/api/datasets{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_file_is_inspected_and_then_known(live: Live, tmp_path: Path) -> None:
    path = rows(tmp_path / "a.jsonl")

    found = post(live, "/inspect", {"path": str(path), "batch_size": 8})

    assert (found["format"], found["rows"], found["tail_rows"]) == ("chat", 20, 4)
    assert found["lengths"] is None


def test_the_list_names_the_demo_and_what_was_written(live: Live, tmp_path: Path) -> None:
    source = rows(tmp_path / "a.jsonl")
    written = post(
        live, "/convert", {"path": str(source), "output_path": "made.jsonl", "to": "grpo"}
    )

    answer = live.client.get("/api/datasets").json()

    assert written["rows"] == 20
    assert written["path"] == f"{answer['folder']}/made.jsonl"
    named = {(each["name"], each["source"]): each["format"] for each in answer["datasets"]}
    assert named[("made.jsonl", "datasets")] == "grpo"
    assert named[("chat", "demo")] == "chat"


def test_a_small_job_is_done_at_once_and_can_be_asked_for_again(live: Live, tmp_path: Path) -> None:
    job = post(live, "/jobs", {"path": str(rows(tmp_path / "a.jsonl"))})

    again = live.client.get(f"/api/datasets/jobs/{job['job_id']}").json()
    ended = live.client.delete(f"/api/datasets/jobs/{job['job_id']}").json()

    assert job["state"] == again["state"] == ended["state"] == "completed"
    assert job["result"]["rows"] == 20


def test_a_split_is_written_beside_each_other(live: Live, tmp_path: Path) -> None:
    body = {"path": str(rows(tmp_path / "a.jsonl")), "output_dir": str(tmp_path / "out")}

    answer = post(live, "/split", {**body, "valid_share": 0.25})

    assert (answer["train"]["rows"], answer["valid"]["rows"], answer["test"]) == (15, 5, None)
    assert (tmp_path / "out" / "valid.jsonl").read_text().count("\n") == 5
    post(live, "/split", {**body, "valid_share": 0.25}, 409)


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/inspect", {"path": "/nowhere.jsonl"}, 404, "/nowhere.jsonl"),
        ("/inspect", {"path": "/dev/zero"}, 400, "not a regular file"),
        ("/inspect", {"path": "x", "modell": "y"}, 422, "Did you mean model?"),
        ("/inspect", {"path": "x", "max_seq_length": 3}, 422, "at least 16"),
        ("/inspect", {"path": "x", "model": "no such model"}, 404, "no such model"),
        ("/preview", {"path": "x", "model": "no such model"}, 404, "no such model"),
        ("/convert", {"path": "{data}", "output_path": "a.exe", "to": "chat"}, 422, "a.exe"),
        ("/convert", {"path": "{data}", "output_path": "a.jsonl", "to": "poem"}, 422, "to must be"),
        ("/convert", {"path": "{data}", "output_path": "/no/b.jsonl", "to": "chat"}, 404, "/no"),
        ("/convert", {"path": "{data}", "output_path": "b.jsonl", "to": "preference"}, 400,
         "rejected"),
        ("/split", {"path": "{data}", "output_dir": "s", "valid_share": 2}, 422, "less than 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_what_is_wrong(
    live: Live, tmp_path: Path, path: str, body: dict[str, Any], status: int, says: str
) -> None:
    data = str(rows(tmp_path / "a.jsonl"))

    refused = post(live, path, {**body, "path": body["path"].replace("{data}", data)}, status)

    assert says in refused["detail"]
    assert set(refused) >= {"error", "detail", "hint"}


def test_an_unknown_job_is_not_found(live: Live) -> None:
    for answer in (
        live.client.get("/api/datasets/jobs/nothing"),
        live.client.delete("/api/datasets/jobs/nothing"),
    ):
        assert answer.status_code == 404
        assert "nothing" in answer.json()["detail"]


def test_rows_of_a_request_are_converted_and_answered(live: Live) -> None:
    body = {"rows": [{"q": "Why?", "a": "So."}], "to": "completions"}
    mapping = {"prompt": "q", "completion": "a"}

    answer = post(live, "/convert/rows", {**body, "mapping": mapping})
    wrong = post(live, "/convert/rows", {**body, "mapping": {"x": "q"}}, 422)

    assert answer == {"rows": [{"row": {"prompt": "Why?", "completion": "So."}, "problem": None}]}
    assert "names the field 'x'" in wrong["detail"]
