"""What may be continued, what may change by it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.errors import AlreadyExists, AppError, BadContent, Invalid, NotFound, WrongState
from backend.jobs.prepare import prepare
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.jobs.run.test_saved_states import write_events, write_state
from tests.training.requests import write_rows
from tests.training.test_manager import House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 18, starts=(5,) * 18)

    monkeypatch.setattr(TokenCounter, "count", count)
    return House(tmp_path)


def store_of(house: House) -> SessionStore:
    return SessionStore(house.settings.sessions_dir, house.settings.adapters_dir)


async def make_source(house: House, *, state: str = "stopped", **fields: Any) -> str:
    """A session that ended with states of checkpoints 10 and 20, and owns its adapter."""
    session_id = await house.start(**{"lora_rank": 4, "learning_rate": 3e-4} | fields)
    recipe = house.supervisor.started.pop()
    record = prepare(recipe, store_of(house))
    record.state = record.training_state = RunState(state)
    store_of(house).save(record)
    folder = house.settings.sessions_dir / session_id
    write_state(folder, 10)
    write_state(folder, 20)
    write_events(folder, [{"type": "metrics", "step": 20, "train_loss": 1.0}])
    own_adapter(recipe.adapter_path, session_id)
    return session_id


def own_adapter(adapter: Path, session_id: str) -> None:
    adapter.mkdir(parents=True, exist_ok=True)
    (adapter / "droid.json").write_text(json.dumps({"session_id": session_id}))
    (adapter / "adapters.safetensors").write_bytes(b"")


async def resumed(house: House, session_id: str, **fields: Any) -> Recipe:
    await house.manager.resume(session_id, **fields)
    return house.supervisor.started.pop()


async def test_a_session_goes_on_as_it_was_asked_from_its_newest_state(house: House) -> None:
    session_id = await make_source(house, notes="n")

    recipe = await resumed(house, session_id)

    assert recipe.session_id != session_id
    assert recipe.overwrite and recipe.adapter_name == "mlx_finetune"
    assert (recipe.total_steps, recipe.notes) == (30, "n")
    assert recipe.resumed_from is not None
    assert (recipe.resumed_from.session_id, recipe.resumed_from.step) == (session_id, 20)
    config = recipe.config
    assert (config["learning_rate"], config["lora_parameters"]["rank"]) == (3e-4, 4)
    assert (config["resume_from"], config["resume_checkpoint"]) == (session_id, 20)
    state = house.settings.sessions_dir / recipe.session_id / "state"
    assert config["resume_adapter_file"] == str(state / "0000020.weights.safetensors")


async def test_the_new_folder_holds_states_and_history(house: House) -> None:
    recipe = await resumed(house, await make_source(house), checkpoint=10)

    prepare(recipe, store_of(house))

    folder = house.settings.sessions_dir / recipe.session_id
    assert {path.name for path in (folder / "state").glob("*.json")} == {"0000010.json"}
    assert "resumed" in (folder / "events.jsonl").read_text()
    record = store_of(house).record(recipe.session_id)
    assert record.resumed_from is not None and record.resumed_from.checkpoint == 10


async def test_more_iterations_are_counted_in_all(house: House) -> None:
    recipe = await resumed(house, await make_source(house, lr_schedule="cosine"), iterations=90)

    assert recipe.total_steps == 90
    assert any("learning rate jumps" in warning for warning in recipe.warnings)


async def test_a_start_may_continue_too_and_change_what_may_change(house: House) -> None:
    session_id = await make_source(house)

    await house.start(
        resume_from=session_id, iterations=40, learning_rate=1e-5, adapter_name="other"
    )

    (recipe,) = house.supervisor.started
    assert (recipe.total_steps, recipe.adapter_name, recipe.overwrite) == (40, "other", False)
    assert recipe.config["learning_rate"] == 1e-5
    assert recipe.config["lora_parameters"]["rank"] == 4


async def test_only_a_run_that_is_no_stronger_than_before_needs_no_new_confirmation(
    house: House,
) -> None:
    source = await make_source(house, lora_alpha=128.0, confirm_high_scale=True)

    for rate, wanted in ((3e-4, False), (1e-4, False), (0.9, True)):
        asked = house.request(resume_from=source, learning_rate=rate)
        preview = await house.manager.preview(asked)
        assert ("ruin the model" in (preview.needs_confirmation or "")) is wanted

    with pytest.raises(Invalid, match="ruin the model"):
        await house.start(resume_from=source, learning_rate=0.9, confirm_high_scale=False)
    assert house.supervisor.started == []
    await house.start(resume_from=source, learning_rate=0.9, confirm_high_scale=True)
    assert (await resumed(house, source)).config["learning_rate"] == 3e-4


async def test_a_continued_session_can_be_continued(house: House) -> None:
    first = await resumed(house, await make_source(house))
    record = prepare(first, store_of(house))
    record.state = record.training_state = RunState.INTERRUPTED
    store_of(house).save(record)
    own_adapter(first.adapter_path, first.session_id)

    second = await resumed(house, first.session_id, iterations=50)

    assert second.resumed_from is not None
    assert second.resumed_from.session_id == first.session_id


async def test_a_base_trained_again_in_the_same_shape_is_noticed(house: House) -> None:
    session_id = await make_source(house)
    weights = house.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")

    problem = await refused(house, session_id)

    assert "model has changed" in problem.detail
    assert "the weights differ, under the same config.json," in problem.detail
    assert problem.errors[0].field == "model_path"


async def test_a_session_of_an_older_version_is_compared_by_what_it_recorded(
    house: House,
) -> None:
    session_id = await make_source(house)
    record = store_of(house).record(session_id)
    assert record.model is not None and record.model.fingerprint is not None
    record.model.fingerprint = record.model.fingerprint.partition("+")[0]
    store_of(house).save(record)

    assert (await resumed(house, session_id)).resumed_from is not None


async def refused(house: House, session_id: str, **fields: Any) -> AppError:
    with pytest.raises(AppError) as refusal:
        await resumed(house, session_id, **fields)
    return refusal.value


async def test_what_the_weights_are_made_of_can_not_change(house: House) -> None:
    session_id = await make_source(house)

    with pytest.raises(Invalid) as refusal:
        await house.start(resume_from=session_id, lora_rank=8, seed=3)

    assert {problem.field for problem in refusal.value.errors} == {"lora_rank", "seed"}
    assert "keeps lora_rank 4" in refusal.value.detail


async def test_nothing_left_to_train_is_refused(house: House) -> None:
    refusal = await refused(house, await make_source(house), iterations=20)

    assert isinstance(refusal, Invalid) and "at step 20 already" in refusal.detail


async def test_a_changed_model_is_refused_with_what_differs(house: House) -> None:
    session_id = await make_source(house)
    config = house.folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rope_theta": 5.0}))

    refusal = await refused(house, session_id)

    assert isinstance(refusal, BadContent) and "model has changed" in refusal.detail
    assert "config.json or the sizes and names of the weights differ" in refusal.detail


async def test_changed_data_is_refused_in_the_preview_already(house: House) -> None:
    session_id = await make_source(house)
    asked = house.request(resume_from=session_id)
    assert (await house.manager.preview(asked)).data.rows == 18
    write_rows(house.rows, 21)

    for call in (house.manager.preview(asked), house.start(resume_from=session_id)):
        with pytest.raises(BadContent, match=r"training data has changed .* it had 18 rows") as no:
            await call
        assert no.value.errors[0].field == "train_data_path"
    assert house.supervisor.started == []


async def test_data_that_changes_while_the_run_is_started_is_refused(house: House) -> None:
    session_id = await make_source(house)
    recipe = await resumed(house, session_id)
    write_rows(house.rows, 21)

    with pytest.raises(BadContent, match="was changed while the run was being started"):
        prepare(recipe, store_of(house))

    assert not (house.settings.sessions_dir / recipe.session_id).exists()
    assert (recipe.adapter_path / "droid.json").exists()


async def test_a_session_without_a_state_is_refused(house: House) -> None:
    session_id = await make_source(house)
    for path in (house.settings.sessions_dir / session_id / "state").iterdir():
        path.unlink()

    refusal = await refused(house, session_id)

    assert isinstance(refusal, WrongState) and "no saved state" in refusal.detail


async def test_a_checkpoint_that_is_not_there_names_those_that_are(house: House) -> None:
    refusal = await refused(house, await make_source(house), checkpoint=15)

    assert isinstance(refusal, Invalid) and "there are 10, 20" in refusal.detail


async def test_a_session_that_lives_or_is_not_there_is_refused(house: House) -> None:
    running = await make_source(house, state="running")

    assert isinstance(await refused(house, running), WrongState)
    assert isinstance(await refused(house, "nothing"), NotFound)


async def test_a_session_goes_on_a_second_time_under_a_free_name(house: House) -> None:
    session_id = await make_source(house)
    own_adapter(house.settings.adapters_dir / "mlx_finetune", "later")
    (house.settings.adapters_dir / "mlx_finetune_2").mkdir()

    answer = await house.manager.resume(session_id, checkpoint=10)

    (recipe,) = house.supervisor.started
    assert (recipe.adapter_name, recipe.overwrite) == ("mlx_finetune_3", False)
    assert recipe.config["adapter_path"] == str(house.settings.adapters_dir / "mlx_finetune_3")
    assert "mlx_finetune_3" in answer.message
    told = "The adapter mlx_finetune belongs to session later by now, so this run writes to"
    assert any(warning.startswith(told) for warning in answer.warnings)


async def test_an_adapter_that_a_later_run_made_its_own_is_replaced_only_when_asked(
    house: House,
) -> None:
    session_id = await make_source(house)
    own_adapter(house.settings.adapters_dir / "mlx_finetune", "later")

    refusal = await refused(house, session_id, adapter_name="mlx_finetune")

    assert isinstance(refusal, AlreadyExists) and "belongs to session later" in refusal.detail
    recipe = await resumed(house, session_id, overwrite=True)
    assert (recipe.adapter_name, recipe.overwrite) == ("mlx_finetune", True)
    assert (await resumed(house, session_id, adapter_name="other")).adapter_name == "other"


async def test_a_checkpoint_without_a_session_is_refused(house: House) -> None:
    with pytest.raises(Invalid, match="needs resume_from"):
        await house.start(resume_checkpoint=10)
