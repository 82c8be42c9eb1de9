"""What can't be read is listed with its problem, is never overwritten, and is told in the app."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from backend.downloads.folder import HIDDEN
from backend.settings import Settings
from tests.api.damaged_root import ADAPTER, COMPARISON, EVALUATION, VOTE, Kind
from tests.api.test_damage import serving

TORN = '{"torn'


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _damaged(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["name"], item["problem"]) for item in answer["damaged"]]


def _kept(path: Path) -> list[str]:
    return [each.read_text(encoding="utf-8") for each in path.parent.glob(f"{path.name}.damaged-*")]


def test_a_damaged_prompt_set_is_listed_and_outlives_a_new_one(
    settings: Settings, tmp_path: Path
) -> None:
    path = _write(settings.data_dir / "prompt_sets" / "mine.json", TORN)
    with serving(tmp_path, settings.data_dir) as client:
        ((name, problem),) = _damaged(client.get("/api/prompt-sets").json())
        assert name == "mine" and "not valid JSON" in problem

        assert client.put("/api/prompt-sets/mine", json={"prompts": ["a"]}).status_code == 200
        assert _kept(path) == [TORN]
        found = client.get("/api/prompt-sets").json()
        assert [one["name"] for one in found["prompt_sets"]] == ["mine"] and not found["damaged"]
        (notice,) = client.get("/notices").json()["notices"]
        assert ".damaged-" in notice["kept_as"] and notice["kept_as"] in notice["message"]
        assert client.delete(f"/notices/{notice['id']}").json() == {"notices": []}
    assert _kept(path) == [TORN]


def test_damaged_comparisons_are_listed_and_survive_delete_all(
    settings: Settings, tmp_path: Path
) -> None:
    folder = settings.data_dir / "comparisons"
    path = _write(folder / "20260101_000000_b.json", TORN)
    _write(folder / "20260101_000000_a.json", Kind(COMPARISON).text)
    with serving(tmp_path, settings.data_dir) as client:
        found = client.get("/api/comparisons").json()
        assert len(found["comparisons"]) == 1
        assert _damaged(found)[0][0] == "20260101_000000_b"
        rated = client.patch(f"/api/comparisons/{path.stem}", json={"answer": 0, "rating": 1})
        assert rated.status_code == 400 and "not valid JSON" in rated.json()["detail"]

        deleted = client.delete("/api/comparisons").json()
        assert deleted["deleted"] == 1
        assert path.read_text(encoding="utf-8") == TORN
        undo = client.delete(f"/api/comparisons/{path.stem}").json()["undo"]
        assert not path.exists()
        restored = client.post(f"/api/trash/{undo}/restore").json()
        assert restored == {"restored": 1} and path.read_text(encoding="utf-8") == TORN


def test_a_damaged_evaluation_is_listed_and_its_result_refused(
    settings: Settings, tmp_path: Path
) -> None:
    folder = settings.data_dir / "evaluations"
    _write(folder / "20260101_000000_00" / "request.json", TORN)
    whole = folder / "20260101_000001_00"
    _write(whole / "request.json", EVALUATION["request.json"].text)
    _write(whole / "result.json", "[" * 50_000)
    with serving(tmp_path, settings.data_dir) as client:
        found = client.get("/api/evaluation/list").json()
        assert [one["evaluation_id"] for one in found["evaluations"]] == [whole.name]
        assert _damaged(found)[0][0] == "20260101_000000_00"
        refused = client.get(f"/api/evaluation/{whole.name}")
        assert refused.status_code == 400 and "result.json is nested" in refused.json()["detail"]


def test_a_partial_download_that_cannot_be_read_can_be_removed(
    settings: Settings, tmp_path: Path
) -> None:
    folder = settings.data_dir / "models" / HIDDEN / "0123456789abcdef"
    _write(folder / "request.json", TORN)
    _write(folder / "files" / "model.safetensors.part", "bytes")
    with serving(tmp_path, settings.data_dir) as client:
        (info,) = client.get("/models/downloads").json()["downloads"]
        assert info["state"] == "damaged" and "not valid JSON" in info["problem"]

        assert client.delete(f"/models/downloads/{info['id']}").json()["state"] == "removed"
        assert client.get("/models/downloads").json()["downloads"] == []
    assert not folder.exists()


def test_damaged_trust_is_told_and_kept_when_another_file_is_trusted(
    settings: Settings, tmp_path: Path
) -> None:
    path = _write(settings.data_dir / "trusted_rewards.json", TORN)
    code = _write(tmp_path / "mine.py", "def score(prompt, answer):\n    return 1.0\n")
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    address = "/api/training/reward-functions/trust"
    with serving(tmp_path, settings.data_dir) as client:
        assert client.post(address, json={"path": str(code), "sha256": digest}).is_success
        assert _kept(path) == [TORN]
        (notice,) = client.get("/notices").json()["notices"]
        assert "trusted_rewards.json is not valid JSON" in notice["message"]


def test_damaged_tags_are_a_warning_and_are_kept_when_new_ones_are_given(
    settings: Settings, tmp_path: Path
) -> None:
    folder = settings.data_dir / "adapters" / "captain"
    for name, kind in ADAPTER.items():
        _write(folder / name, kind.text)
    path = _write(folder / "tags.json", TORN)
    with serving(tmp_path, settings.data_dir) as client:
        (adapter,) = client.get("/adapters").json()["adapters"]
        assert any("tags.json is not valid JSON" in warning for warning in adapter["warnings"])
        changed = client.patch("/adapters/captain", json={"tags": ["good"]})
        assert changed.json()["tags"] == ["good"]
        assert _kept(path) == [TORN]
        assert client.get("/notices").json()["notices"]


def test_votes_that_cannot_be_read_are_counted_and_kept(settings: Settings, tmp_path: Path) -> None:
    text = Kind([VOTE], lines=True).text + "\n{torn\n[[[\n"
    path = _write(settings.data_dir / "arena.jsonl", text)
    with serving(tmp_path, settings.data_dir) as client:
        found = client.get("/api/arena").json()
        assert found["unreadable"] == 2 and found["standings"][0]["votes"] == 1
        client.get("/api/arena")
        (notice,) = client.get("/notices").json()["notices"]
        assert notice["problem"] == "2 of the lines of arena.jsonl can't be read."
    assert path.read_text(encoding="utf-8") == text
