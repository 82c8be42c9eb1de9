"""What a start is warned of reaches whoever watches the run, also one that waited."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from backend.jobs.run.recipe import StartWarning
from backend.training.lora.groups import build_targets
from backend.training.plan.effective_scale import INSTEAD
from backend.training.plan.queued_request import waiting_run
from backend.training.schemas import RemarkFix
from tests.jobs.conftest import world as world
from tests.jobs.world import World
from tests.training.requests import qwen_tree
from tests.training.test_manager import FakeInspector, House
from tests.training.test_manager import house as house


async def test_a_seed_key_that_matches_nothing_is_a_warning_with_its_own_code(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = qwen_tree() | {"architecture": "qwen3_next", "others": ["linear_attn.dt_bias"]}
    found = build_targets(tree, total_parameters=None)

    async def targets(*_: object) -> object:
        return found

    monkeypatch.setattr(FakeInspector, "targets", targets)
    await house.start()

    (recipe,) = house.supervisor.started
    (named,) = [text for text in recipe.warnings if "linear_attn.dt_bias" in text]
    assert isinstance(named, StartWarning)
    assert named.code == "unmatched_seed_key"
    # A run that waited is planned anew from its request, and warned of the same.
    waited = waiting_run(recipe, house.request(), model_name="tiny")
    again = await house.manager.plan_waiting(waited)
    assert again.warnings == recipe.warnings


def handed(run: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((run / "warnings.json").read_text())
    return found


async def test_the_run_is_handed_the_warnings_that_it_does_not_find_itself(world: World) -> None:
    recipe = dataclasses.replace(
        world.recipe(steps=1),
        warnings=(
            StartWarning("5 rows are held out.", code="validation_split", level="info"),
            StartWarning("dt_bias is not sent.", code="unmatched_seed_key"),
            StartWarning("3 rows are cut.", code="truncated", said_by_run=True),
        ),
    )
    await world.supervisor.start(recipe)
    await world.until_end()

    assert handed(world.folder(recipe.session_id)) == [
        {"code": "validation_split", "level": "info", "message": "5 rows are held out."},
        {"code": "unmatched_seed_key", "level": "warning", "message": "dt_bias is not sent."},
    ]


async def test_a_preview_has_a_code_a_level_and_the_remedy_of_every_warning(house: House) -> None:
    plain = (await house.manager.preview(house.request(max_seq_length=128))).remarks
    assert {(remark.code, remark.level) for remark in plain} == {
        ("validation_split", "info"),
        ("strong_scaling", "info"),
    }

    asked = house.request(learning_rate=2e-4, max_seq_length=64, val_batches=0)
    preview = await house.manager.preview(asked)
    shown = {remark.code: remark for remark in preview.remarks}
    assert [remark.message for remark in preview.remarks] == preview.warnings
    fixes = {code: (each.level, each.fix) for code, each in shown.items() if each.fix}
    assert fixes == {
        "strong_scaling": (
            "caution", RemarkFix(label="Use alpha / rank", field="lora_scaling", value=INSTEAD)
        ),
        "no_validation": (
            "caution", RemarkFix(label="Validate all rows", field="val_batches", value=-1)
        ),
        "truncated": (
            "caution",
            RemarkFix(label="Raise the length to 100 tokens", field="max_seq_length", value=100),
        ),
        "empty_target": (
            "caution",
            RemarkFix(label="Raise the length to 100 tokens", field="max_seq_length", value=100),
        ),
    }  # fmt: skip


async def test_the_answer_to_a_start_has_the_levels_too(house: House) -> None:
    answer = await house.manager.start(house.request(), idempotency_key=None)
    assert [remark.message for remark in answer.remarks] == answer.warnings
    assert {remark.level for remark in answer.remarks} == {"info"}
