"""The manager over a supervisor that only remembers: what is checked, and what is handed over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import ValidationError

from backend.core.hub import Hub
from backend.errors import (
    AlreadyExists,
    AppError,
    Invalid,
    NoDiskSpace,
    RunAlreadyActive,
)
from backend.jobs.queue import RunQueue
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.store import SessionStore
from backend.jobs.supervisor import RunSupervisor
from backend.models.catalog import ModelCatalog
from backend.models.schemas import LoraTargets, ModelInfo
from backend.settings import Settings
from backend.training.lora.inspector import ModelInspector
from backend.training.manager import TrainingManager
from backend.training.plan import context
from backend.training.plan.context import PlanContext
from backend.training.request.sft_fields import StandardStart
from backend.training.rewards.service import Rewards
from backend.training.run_data.rendered_files import Rendering
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.models.folders import model_folder, settings_for
from tests.training.requests import request, targets, write_rows


class FakeSupervisor:
    def __init__(self) -> None:
        self.started: list[Recipe] = []
        self.busy = False

    @property
    def active_session(self) -> str | None:
        return "another" if self.busy else None

    def require_free(self) -> None:
        if self.busy:
            raise RunAlreadyActive("A run is already active.")

    async def start(self, recipe: Recipe) -> None:
        self.require_free()
        self.started.append(recipe)


class FakeInspector:
    async def targets(self, model: ModelInfo) -> LoraTargets:
        return targets()


class House:
    """A data root with one model and one data file."""

    def __init__(self, root: Path) -> None:
        self.settings: Settings = settings_for(root, root / "models")
        self.folder = model_folder(root / "models" / "tiny")
        self.rows = write_rows(root / "rows.jsonl", 20)
        self.supervisor = FakeSupervisor()
        self.queue = RunQueue(self.settings.sessions_dir, Hub())
        self.context = PlanContext(
            self.settings,
            ModelCatalog(self.settings),
            cast(ModelInspector, FakeInspector()),
            SessionStore(self.settings.sessions_dir, self.settings.adapters_dir),
            working_set=lambda: 8_000_000_000,
        )
        self.manager = TrainingManager(
            self.context,
            cast(RunSupervisor, self.supervisor),
            queue=self.queue,
            rewards=Rewards(self.settings),
        )

    def request(self, **fields: Any) -> StandardStart:
        known = {"train_data_path": str(self.rows), "max_seq_length": 64}
        length = {} if "epochs" in fields else {"iterations": 30}
        return request(**known | length | fields)

    async def start(self, key: str | None = None, **fields: Any) -> str:
        answer = await self.manager.start(self.request(**fields), idempotency_key=key)
        return answer.session_id


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 17 + (100,), starts=(5,) * 17 + (70,))

    monkeypatch.setattr(TokenCounter, "count", count)
    return House(tmp_path)


async def test_a_start_hands_over_everything_the_run_needs(house: House) -> None:
    session_id = await house.start(tags=["a"], notes="n", lora_rank=4)

    (recipe,) = house.supervisor.started
    assert recipe.session_id == session_id
    assert recipe.engine == "sft"
    assert recipe.total_steps == 30
    assert recipe.adapter_path == house.settings.adapters_dir / "mlx_finetune"
    assert recipe.config["model"] == str(house.folder)
    assert recipe.config["data"] == str(house.settings.sessions_dir / session_id / "data")
    assert recipe.request["lora_rank"] == 4
    assert recipe.lora is not None
    assert recipe.lora.matched_modules == 14
    assert recipe.model is not None and recipe.model.fingerprint
    assert (recipe.notes, recipe.tags) == ("n", ("a",))
    assert recipe.stage(house.settings.data_dir / "run").train is not None


async def test_prompts_for_live_samples_are_of_rows_that_are_only_validated_on(
    house: House, tmp_path: Path
) -> None:
    held_out = await house.manager.held_out_prompts(house.request(val_split=0.2))
    session_id = await house.start(val_split=0.2)

    (recipe,) = house.supervisor.started
    run = house.settings.sessions_dir / session_id
    recipe.stage(run)
    rows = [json.loads(line) for line in (run / "data" / "valid.jsonl").read_text().splitlines()]
    assert held_out.prompts == [row["messages"][0]["content"] for row in rows]
    assert held_out.source == "rows.jsonl"

    named = write_rows(tmp_path / "other.jsonl", 12)
    of_file = await house.manager.held_out_prompts(house.request(val_data_path=str(named)))
    assert of_file.prompts == [f"Question {number}?" for number in range(8)]
    nothing = await house.manager.held_out_prompts(house.request(val_split=0.0))
    assert (nothing.prompts, nothing.source) == ([], None)


@pytest.mark.parametrize(
    "prompts", [["x"] * 9, ["  "], ["x" * 4001], "x"], ids=["nine", "blank", "long", "no list"]
)
def test_sample_prompts_that_can_not_be_asked_are_refused(house: House, prompts: Any) -> None:
    with pytest.raises(ValidationError, match="sample_prompts"):
        house.request(sample_prompts=prompts)


async def test_epochs_become_iterations(house: House) -> None:
    await house.start(epochs=2.5, batch_size=4)

    # 20 rows, 4 held out: 4 batches per epoch.
    assert house.supervisor.started[0].config["iters"] == 10


async def test_epochs_and_iterations_that_do_not_agree_are_refused(house: House) -> None:
    with pytest.raises(Invalid, match=r"iterations 50 and epochs 1 don't agree: .* 18"):
        await house.start(epochs=1.0, iterations=50)

    await house.start(epochs=1.0, iterations=18)
    assert house.supervisor.started[0].config["iters"] == 18


async def test_epochs_that_come_to_no_number_of_steps_are_refused(house: House) -> None:
    with pytest.raises(
        Invalid, match=r"1e\+06 epochs of 18 iterations .* at most 555555\."
    ) as told:
        await house.start(epochs=1e6, val_split=0.1)

    assert [problem.field for problem in told.value.errors] == ["epochs"]
    with pytest.raises(ValidationError, match="less than or equal to 9999999"):
        house.request(epochs=1e308)


async def test_an_existing_adapter_is_refused_unless_it_may_be_overwritten(house: House) -> None:
    (house.settings.adapters_dir / "mlx_finetune").mkdir(parents=True)

    with pytest.raises(AlreadyExists) as refusal:
        await house.start()
    assert refusal.value.errors[0].field == "adapter_name"

    await house.start(overwrite=True)
    assert house.supervisor.started[0].overwrite


async def test_checkpoints_that_do_not_fit_the_disk_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 10

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Full)

    with pytest.raises(NoDiskSpace):
        await house.start()
    assert house.supervisor.started == []


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"model_path": "no-such-model"}, 404, "model_path"),
    ({"train_data_path": "/nowhere.jsonl"}, 404, "train_data_path"),
    ({"batch_size": 5000}, 422, "batch_size"),
    ({"lora_keys": ["self_attn.q_prj"]}, 422, "lora_keys"),
    ({"lora_num_layers": 3}, 422, "lora_num_layers"),
    ({"max_seq_length": 4096}, 422, "max_seq_length"),
    ({"resume_from": "x"}, 404, "resume_from"),
]


@pytest.mark.parametrize(("fields", "status", "field"), REFUSED, ids=[row[2] for row in REFUSED])
async def test_a_refusal_names_its_field_and_writes_nothing(
    house: House, fields: dict[str, Any], status: int, field: str
) -> None:
    before = sorted(house.settings.data_dir.rglob("*"))
    for call in (house.start(**fields), house.manager.preview(house.request(**fields))):
        with pytest.raises(AppError) as refusal:
            await call
        assert refusal.value.status == status
        assert [problem.field for problem in refusal.value.errors] == [field]

    assert house.supervisor.started == []
    assert sorted(house.settings.data_dir.rglob("*")) == before


async def test_a_preview_shows_what_a_start_would_do_and_writes_nothing(house: House) -> None:
    before = sorted(house.settings.data_dir.rglob("*"))

    shown = await house.manager.preview(house.request(batch_size=2))
    await house.start(batch_size=2)

    recipe = house.supervisor.started[0]
    preview, started = yaml.safe_load(shown.config_yaml), dict(recipe.config)
    for name in ("data", "session_id"):  # They hold the id, which a preview has none of.
        preview.pop(name), started.pop(name)
    assert preview == started
    assert shown.lora == recipe.lora
    assert (shown.data.rows, shown.data.valid_rows, shown.data.split) == (18, 2, True)
    assert (shown.steps_per_epoch, shown.iterations) == (9, 30)
    assert (shown.data.max_tokens, shown.data.truncated_rows) == (100, 1)
    assert shown.memory is not None and shown.memory.verdict == "ok"
    assert sorted(house.settings.data_dir.rglob("*")) == before


async def test_rows_that_are_cut_are_warned_of(house: House) -> None:
    shown = await house.manager.preview(house.request(mask_prompt=True))

    assert any("1 of 18 rows are longer than 64 tokens" in warning for warning in shown.warnings)
    assert any("1 row is left out" in warning for warning in shown.warnings)


async def test_a_command_that_would_train_on_other_answers_is_warned_of(house: House) -> None:
    turns = (("user", "One?"), ("assistant", "1"), ("user", "Two?"), ("assistant", "2"))
    row = {"messages": [{"role": role, "content": text} for role, text in turns]}
    several = str(write_rows(house.rows.parent / "several.jsonl", 20, row))

    async def warned(**fields: Any) -> bool:
        shown = await house.manager.preview(house.request(**fields))
        return any("20 rows have several answers" in warning for warning in shown.warnings)

    assert await warned(train_data_path=several, mask_prompt=True)
    assert not await warned(train_data_path=several)
    assert not await warned(mask_prompt=True)


async def test_rows_that_were_not_counted_are_unknown_and_not_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(*_: Any, **__: Any) -> Rendering:
        return Rendering("job-1", 0.25)

    monkeypatch.setattr(TokenCounter, "count", count)

    data = (await house.manager.preview(house.request())).data

    assert (data.tokens, data.max_tokens, data.truncated_rows, data.unused_rows) == (None,) * 4
    assert (data.rendered_share, data.rendering_job) == (0.25, "job-1")


async def test_prompts_that_leave_no_answer_at_all_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(100,) * 18, starts=(90,) * 18)

    monkeypatch.setattr(TokenCounter, "count", count)

    with pytest.raises(AppError) as refusal:
        await house.start(mask_prompt=True)

    assert refusal.value.errors[0].field == "max_seq_length"
    assert house.supervisor.started == []


async def test_a_run_of_great_strength_is_refused_where_the_page_asks_first(
    house: House,
) -> None:
    strong: dict[str, Any] = {"lora_alpha": 128.0}

    preview = await house.manager.preview(house.request(**strong))
    assert "ruin the model" in (preview.needs_confirmation or "")
    with pytest.raises(Invalid, match="alpha_over_rank"):
        await house.start(**strong, confirm_high_scale=False)
    assert house.supervisor.started == []

    asked = house.request(**strong, confirm_high_scale=True)
    confirmed = await house.manager.start(asked, idempotency_key=None)
    assert len(house.supervisor.started) == 1
    assert not [text for text in confirmed.warnings if "ruin the model" in text]


async def test_a_script_that_says_nothing_of_great_strength_is_started_and_warned(
    house: House,
) -> None:
    asked = house.request(lora_alpha=128.0)
    answer = await house.manager.start(asked, idempotency_key=None)

    assert len(house.supervisor.started) == 1
    assert [text for text in answer.warnings if "ruin the model" in text]


async def test_memory_that_was_not_known_is_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[int | None] = [None, 8_000, 9_000]
    monkeypatch.setattr(context, "_recommended_size", lambda settings: answers.pop(0))
    made = PlanContext(
        house.settings, ModelCatalog(house.settings), cast(ModelInspector, FakeInspector()),
        SessionStore(house.settings.sessions_dir, house.settings.adapters_dir),
    )  # fmt: skip

    assert [await made.available() for _ in range(3)] == [None, 8_000, 8_000]
