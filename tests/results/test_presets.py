"""The two comparisons that this app was made for, chosen from what there is."""

from __future__ import annotations

from typing import Any

from backend.jobs.run.legacy_records import to_summary
from backend.jobs.run.schemas import SessionSummary
from backend.results.presets import presets

ATTENTION = ["self_attn.q_proj", "self_attn.v_proj"]
FULL = [*ATTENTION, "mlp.up_proj"]


def run(name: str, *, model: str = "Tiny", data: str = "a.jsonl", **fields: Any) -> SessionSummary:
    keys = fields.pop("keys", FULL)
    config = {"model_path": f"/m/{model}", "train_data_path": f"/d/{data}"}
    raw = {"training_state": "completed", "config": config, "lora": {"keys": keys}, **fields}
    return to_summary(raw, name)


def chosen(*sessions: SessionSummary) -> dict[str, list[str]]:
    return {preset.id: preset.ids for preset in presets(sessions)}


def test_the_newest_pair_on_the_same_data_is_taken() -> None:
    found = chosen(
        run("attention, other data", keys=ATTENTION, data="b.jsonl"),
        run("full"),
        run("attention", keys=ATTENTION),
        run("older full"),
    )
    assert found["coverage"] == ["full", "attention"]


def test_other_data_of_the_same_model_is_better_than_nothing() -> None:
    found = chosen(run("full"), run("attention", keys=ATTENTION, data="b.jsonl"))
    assert found["coverage"] == ["full", "attention"]
    assert chosen(run("full"), run("x", keys=ATTENTION, model="Other"))["coverage"] == []


def test_sft_is_compared_with_reward_learning_not_with_preferences() -> None:
    found = chosen(run("pairs", method="dpo"), run("rewards", method="grpo"), run("sft"))
    assert found["method"] == ["sft", "rewards"]
    assert chosen(run("sft"), run("pairs", method="dpo"))["method"] == []


def test_a_run_that_did_not_finish_is_not_offered() -> None:
    assert chosen(run("full"), run("x", keys=ATTENTION, training_state="error"))["coverage"] == []
