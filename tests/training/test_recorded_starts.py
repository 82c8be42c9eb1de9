"""One pipeline for both tabs: what starts come to is what the version before made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.training.idempotency import request_digest
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.run_data.token_counts import TokenCounter
from tests.training.recorded_starts import RECORDED, RecordedHouse, count, packed, recorded

QUEUE = Path(__file__).parents[1] / "jobs" / "previous_version" / "queue.json"


async def test_starts_of_both_tabs_come_to_what_they_came_to_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenCounter, "count", count)
    before = json.loads(RECORDED.read_text(encoding="utf-8"))

    now = packed(await recorded(tmp_path))

    assert now["first"] == before["first"]
    for name, case in before["cases"].items():
        assert now["cases"][name] == case, name
    assert now["cases"].keys() == before["cases"].keys()
    for kind, config in before["first"].items():
        assert list(now["first"][kind]) == list(config), kind


async def test_the_queue_of_the_previous_version_still_waits_for_the_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenCounter, "count", count)
    house = RecordedHouse(tmp_path)
    sessions = house.settings.sessions_dir
    sessions.mkdir(parents=True)
    text = QUEUE.read_text(encoding="utf-8").replace("ROOT", str(tmp_path))
    (sessions / "queue.json").write_text(text, encoding="utf-8")

    await house.queue.open()
    recipes = [await house.manager.plan_waiting(run) for run in house.queue.all()]

    assert [(each.adapter_name, each.method, each.engine) for each in recipes] == [
        ("tuned", "sft", "sft"), ("rewarded", "dapo", "rl"), ("compared", "sft", "sft"),
    ]  # fmt: skip
    assert [each.total_steps for each in recipes] == [36, 100, 100]
    assert [each.config["learning_rate"] for each in recipes] == [1e-4, 1e-5, 1e-5]
    assert [each.config["lora_rank"] for each in recipes] == [4, 32, 32]
    assert (recipes[1].config["group_size"], recipes[1].config["epsilon_high"]) == (8, 0.28)


def test_a_key_of_the_previous_version_stands_for_the_same_request() -> None:
    known = {"model_path": "tiny", "train_data_path": "/rows.jsonl"}
    grpo = {"training_method": "grpo", "group_size": 8}

    assert [
        request_digest(StandardStart.model_validate(known)),
        request_digest(EnhancedStart.model_validate(known | grpo)),
        request_digest(EnhancedStart.model_validate(known | {"training_method": "sft"})),
    ] == [
        "045acd61330b02d053c96cc4cb5805899e12d804f4c7ec112ee83ad2ab4b7166",
        "e836e667f2d0e75310a139f4ca7edc62b80ecd199ce11c436ddd94a313cda593",
        "f03a420a93139c266afbedd916da9e470c961c6567f32530890cc48be9623a80",
    ]
