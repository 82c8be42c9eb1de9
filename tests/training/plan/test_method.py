"""Runs of every method from their request: what they become, and what is refused before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.errors import AppError, BadContent, Invalid, NotFound, NotTrusted
from backend.jobs.prepare import prepare
from backend.jobs.run.state import RunState
from backend.training.plan.defaults import fit_to_context
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.jobs.run.test_saved_states import write_events, write_state
from tests.training.enhanced_house import GRPO, EnhancedHouse
from tests.training.plan.test_resume import own_adapter
from tests.training.requests import model, write_rows


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnhancedHouse:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 18, starts=(6,) * 18)

    monkeypatch.setattr(TokenCounter, "count", count)
    made = EnhancedHouse(tmp_path)
    made.settings.sessions_dir.mkdir(parents=True)
    return made


async def refusal(house: EnhancedHouse, method: str = "grpo", **fields: Any) -> AppError:
    """Why such a start is refused; a preview refuses it in the same words."""
    with pytest.raises(AppError) as refused:
        await house.manager.preview(house.enhanced(method, **fields))
    with pytest.raises(AppError) as again:
        await house.manager.start(house.enhanced(method, **fields), idempotency_key=None)
    assert house.supervisor.started == []
    assert again.value.detail == refused.value.detail
    return refused.value


@pytest.mark.parametrize("method", [name for name in METHODS if name != "sft"])
async def test_every_method_becomes_a_run_of_its_own_mode(
    house: EnhancedHouse, method: str
) -> None:
    recipe = await house.recipe(method)

    assert (recipe.engine, recipe.method, recipe.config["method"]) == ("rl", method, method)
    assert recipe.config["train_mode"] == METHODS[method].train_mode
    assert recipe.config["select_by"] == METHODS[method].select_by
    assert recipe.config["lora_parameters"]["keys"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert recipe.config["fuse"] is False
    assert recipe.request["training_method"] == method
    assert recipe.command.startswith("python -m backend.engines.rl ")


@pytest.mark.parametrize(
    ("method", "level", "loss"),
    [
        ("grpo", "token", "grpo"),
        ("gspo", "sequence", "grpo"),
        ("dr_grpo", "token", "dr_grpo"),
        ("dapo", "token", "bnpo"),
    ],
)
async def test_the_method_on_the_card_is_the_one_that_is_configured(
    house: EnhancedHouse, method: str, level: str, loss: str
) -> None:
    config = (await house.recipe(method)).config

    assert (config["importance_sampling_level"], config["grpo_loss_type"]) == (level, loss)


async def test_the_configuration_is_explicit_and_typed(house: EnhancedHouse) -> None:
    weights = {"reward_functions": "token_f1, length_window(1;9)", "reward_weights": "[1, 0.5]"}
    recipe = await house.recipe(**weights, success_function="token_f1", beta=0.02)
    config = yaml.safe_load(yaml.safe_dump(dict(recipe.config)))

    assert config["reward_functions"] == ["token_f1", "length_window(1;9)"]
    assert config["reward_weights"] == [1.0, 0.5]
    assert (config["success_function"], config["beta"]) == ("token_f1", 0.02)
    assert config["optimizer_config"] == {"adamw": {"weight_decay": 0.01, "bias_correction": False}}
    assert config["alpha"] == [1e-5]
    assert config["judge"] is None and config["reference_model_path"] is None


@pytest.mark.parametrize(
    ("method", "fields", "at_once"),
    [
        ("grpo", {"batch_size": 1, "group_size": 4}, 4),
        ("grpo", {"batch_size": 4, "group_size": 8}, 16),
        ("klpo", {"batch_size": 2}, 2),
        ("ppo", {"batch_size": 2}, 4),
    ],
)
async def test_whole_groups_are_decoded_together_up_to_sixteen_answers(
    house: EnhancedHouse, method: str, fields: dict[str, Any], at_once: int
) -> None:
    assert (await house.recipe(method, **fields)).config["decode_concurrency"] == at_once


async def test_the_fields_of_ftpo_reach_the_engine_by_its_names(house: EnhancedHouse) -> None:
    fields = {"ftpo_margin": 3.0, "ftpo_rest_weight": 0.3, "ftpo_target_weight": 0.2}
    config = (await house.recipe("ftpo", **fields, ftpo_target_slack=0.5)).config

    names = ("clip_epsilon_logits", "lambda_mse", "lambda_mse_target", "tau_mse_target")
    assert [config[name] for name in names] == [3.0, 0.3, 0.2, 0.5]


async def test_a_name_is_made_up_where_none_is_given(house: EnhancedHouse) -> None:
    recipe = await house.recipe()

    assert recipe.adapter_name.startswith("run_20")
    assert recipe.adapter_path == house.settings.adapters_dir / recipe.adapter_name


async def test_sft_of_this_tab_is_a_run_of_the_standard_engine(house: EnhancedHouse) -> None:
    recipe = await house.recipe("sft", adapter_name="base")

    assert (recipe.engine, recipe.method, recipe.total_steps) == ("sft", "sft", 100)
    assert recipe.config["lora_parameters"]["keys"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert recipe.config["learning_rate"] == 1e-5


async def test_sft_by_epochs_or_in_full_is_not_held_against_this_tabs_defaults(
    house: EnhancedHouse,
) -> None:
    """They are another number of iterations and other LoRA keys than the standard tab's."""
    recipe = await house.recipe("sft", epochs=1.0, fine_tune_type="full", learning_rate=1e-5)

    assert recipe.total_steps == 18
    assert not [warning for warning in recipe.warnings if "nothing" in warning]


async def test_rows_are_staged_as_the_engine_reads_them(
    house: EnhancedHouse, tmp_path: Path
) -> None:
    rows = [GRPO | {"note": "mine", "system": None}] * 20
    path = write_rows(tmp_path / "noted.jsonl", rows)
    recipe = await house.recipe(train_data_path=str(path))

    summary = recipe.stage(tmp_path / "run")

    train = (tmp_path / "run" / "data" / "train.jsonl").read_text().splitlines()
    assert set(train) == {'{"prompt": "2 + 2?", "answer": "4"}'}
    assert (len(train), summary.format, summary.split_seed) == (18, "grpo", 0)
    assert any("20 of 20 rows have no system prompt" in text for text in recipe.warnings)


@pytest.mark.parametrize("method", ["online_dpo", "xpo", "ppo", "rlhf_reinforce"])
async def test_rows_keep_the_answers_that_reward_functions_compare_with(
    house: EnhancedHouse, tmp_path: Path, method: str
) -> None:
    recipe = await house.recipe(method, reward_functions="number_match")

    recipe.stage(tmp_path / "run")

    for name in ("train", "valid"):
        rows = (tmp_path / "run" / "data" / f"{name}.jsonl").read_text().splitlines()
        (row,) = {*rows}
        prompt = [{"role": "system", "content": "Count."}, {"role": "user", "content": "2 + 2?"}]
        assert json.loads(row) == {"prompt": prompt, "answer": "4"}


async def test_a_reward_function_that_no_row_suits_is_refused_before_the_run(
    house: EnhancedHouse, tmp_path: Path
) -> None:
    bare = write_rows(tmp_path / "bare.jsonl", 20, {"prompt": "2 + 2?"})
    fields = {"train_data_path": str(bare), "reward_functions": "number_match"}

    refused = await refusal(house, "online_dpo", **fields)

    assert refused.detail == "number_match needs a row's answer, and no row of bare.jsonl has one."
    assert [error.field for error in refused.errors] == ["reward_functions", "train_data_path"]


async def test_rows_that_a_reward_function_leaves_out_are_counted(
    house: EnhancedHouse, tmp_path: Path
) -> None:
    rows = [{"prompt": "2 + 2?"}] * 5 + [{"prompt": "2 + 2?", "answer": "4"}] * 15
    path = write_rows(tmp_path / "mixed.jsonl", rows)
    fields = {"train_data_path": str(path), "reward_functions": "number_match"}

    shown = await house.manager.preview(house.enhanced("online_dpo", **fields))

    assert (
        "5 of 20 rows of mixed.jsonl have no answer; number_match does not apply to them."
        in shown.warnings
    )


async def test_a_length_nobody_asked_for_gives_way_to_the_model(house: EnhancedHouse) -> None:
    recipe = await house.recipe()
    assert recipe.config["max_seq_length"] < 2048
    assert "instead of the default 2048" in " ".join(recipe.warnings)

    refused = await refusal(house, max_seq_length=2048)
    assert [problem.field for problem in refused.errors] == ["max_seq_length"]


def test_lengths_nobody_asked_for_leave_room_for_the_prompt() -> None:
    needed = {"training_method": "grpo", "model_path": "m", "train_data_path": "d"}

    fitted, remarks = fit_to_context(
        EnhancedStart.model_validate(needed), model(context_length=256)
    )

    assert (fitted.max_seq_length, fitted.max_completion_length) == (256, 128)
    assert len(remarks) == 2
    asked = EnhancedStart.model_validate(needed | {"max_completion_length": 200})
    assert fit_to_context(asked, model(context_length=256))[0].max_completion_length == 200


async def test_what_a_method_does_not_use_is_said(house: EnhancedHouse) -> None:
    recipe = await house.recipe("dpo", group_size=8)

    assert "DPO does not use group_size, max_completion_length." in recipe.warnings


@pytest.mark.parametrize(
    ("method", "fields", "idle"),
    [
        ("grpo", {"beta": 0.0, "reference_model_path": "tiny"}, ["reference_model_path"]),
        ("grpo", {"beta": 0.1, "reference_model_path": "tiny"}, []),
        ("ppo", {"judge": "tiny", "reward_functions": "token_f1", "batch_size": 2}, ["judge"]),
        ("ppo", {"judge": "tiny", "batch_size": 2}, []),
        (
            "dsla",
            {"dsla_loss": "orpo", "preference_loss": "dpop", "delta": 5.0},
            ["preference_loss", "delta"],
        ),
        ("dsla", {"dsla_loss": "cpo", "preference_loss": "dpop", "delta": 5.0}, []),
    ],
)
async def test_a_value_that_does_nothing_beside_another_is_told(
    house: EnhancedHouse, method: str, fields: dict[str, Any], idle: list[str]
) -> None:
    warnings = (await house.recipe(method, **fields)).warnings

    told = [text.split()[0] for text in warnings if "does nothing here" in text]
    assert told == idle


async def test_at_one_update_per_rollout_the_truth_about_epsilon_is_told(
    house: EnhancedHouse,
) -> None:
    one, two = await house.recipe("gspo"), await house.recipe("gspo", updates_per_rollout=2)

    assert any("GSPO trains as GRPO does" in text for text in one.warnings)
    assert not any("nothing is clipped" in text for text in two.warnings)


@pytest.mark.parametrize(
    ("method", "fields", "field", "words"),
    [
        ("grpo", {"importance_sampling_level": "sequence"}, "importance_sampling_level", "GSPO"),
        ("gspo", {"importance_sampling_level": "token"}, "importance_sampling_level", "GRPO"),
        ("grpo", {"grpo_loss_type": "dr_grpo"}, "grpo_loss_type", "Dr. GRPO"),
        ("grpo", {"epsilon": 0.3, "epsilon_high": 0.2}, "epsilon_high", "below epsilon 0.3"),
        ("grpo", {"optimizer": "sgd"}, "optimizer", "adam, adamw, muon"),
        ("ppo", {"batch_size": 1}, "batch_size", "at least 2"),
        ("klpo", {"temperature": 0}, "temperature", "above 0"),
        ("grpo", {"reward_functions": "nope"}, "reward_functions", "no reward function nope"),
        ("grpo", {"reward_weights": [1.0]}, "reward_weights", "5 reward functions"),
        ("grpo", {"success_function": "other"}, "success_function", "not one of"),
        ("online_dpo", {"reward_weights": [1.0]}, "reward_weights", "needs reward_functions"),
        ("grpo", {"max_completion_length": 251}, "max_completion_length", "128 tokens"),
        ("grpo", {"lora_keys": ["q_proj"]}, "lora_keys", "self_attn.q_proj"),
    ],
)
async def test_what_does_not_go_together_is_refused_with_its_field(
    house: EnhancedHouse, method: str, fields: dict[str, Any], field: str, words: str
) -> None:
    refused = await refusal(house, method, **fields)

    assert isinstance(refused, Invalid)
    assert field in [problem.field for problem in refused.errors]
    assert words in refused.detail + (refused.hint or "")


async def test_a_success_needs_a_maximum(house: EnhancedHouse) -> None:
    fields = {"reward_functions": "open_end", "success_function": "open_end"}
    refused = await refusal(house, **fields)

    assert "no known maximum" in refused.detail


async def test_a_file_that_nobody_trusted_is_refused(house: EnhancedHouse) -> None:
    refused = await refusal(house, reward_functions="a", reward_functions_file="/my/strange.py")

    assert isinstance(refused, NotTrusted)
    assert [problem.field for problem in refused.errors] == ["reward_functions_file"]


async def test_rows_of_another_form_are_refused_with_line_and_remedy(house: EnhancedHouse) -> None:
    refused = await refusal(house, train_data_path=str(house.rows))

    assert isinstance(refused, BadContent)
    assert refused.detail.startswith("Line 1 of rows.jsonl has no 'prompt'")
    assert "Data → Convert" in (refused.hint or "")


async def test_a_missing_file_or_model_is_not_found(house: EnhancedHouse) -> None:
    assert isinstance(await refusal(house, train_data_path="/none.jsonl"), NotFound)
    assert isinstance(await refusal(house, model_path="none"), NotFound)
    judge = await refusal(house, "online_dpo", judge="none")
    assert [problem.field for problem in judge.errors] == ["judge"]


async def test_prompts_that_do_not_fit_are_left_out_or_refused(
    house: EnhancedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 17 + (90,), starts=(10,) * 17 + (90,))

    monkeypatch.setattr(TokenCounter, "count", count)
    shown = await house.manager.preview(house.enhanced(max_seq_length=64))
    assert shown.data.unused_rows == 1
    assert any("1 of 18 rows are left out" in text for text in shown.warnings)

    async def long(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(90,) * 18, starts=(90,) * 18)

    monkeypatch.setattr(TokenCounter, "count", long)
    refused = await refusal(house, max_seq_length=64)
    assert "No prompt of prompts.jsonl fits max_seq_length 64" in refused.detail


async def test_a_preview_shows_what_a_start_would_write(house: EnhancedHouse) -> None:
    shown = await house.manager.preview(house.enhanced(adapter_name="mine", batch_size=2))

    config = yaml.safe_load(shown.config_yaml)
    recipe = await house.recipe(adapter_name="mine", batch_size=2)
    differing = {name for name in config if config[name] != recipe.config[name]}
    assert differing == {"data", "session_id"}
    assert shown.lora is not None and shown.lora.matched_modules == 4
    assert (shown.data.format, shown.data.rows, shown.data.valid_rows) == ("grpo", 18, 2)
    assert shown.estimated_seconds is None, "no such run has been measured"


async def test_a_queued_run_is_read_again_as_it_was_asked(house: EnhancedHouse) -> None:
    house.supervisor.busy = True
    request = house.enhanced("dapo", queue=True, group_size=8)
    answer = await house.manager.start(request, idempotency_key=None)

    (waiting,) = house.queue.all()
    recipe = await house.manager.plan_waiting(waiting)

    assert answer.status == "queued"
    assert (waiting.method, recipe.method) == ("dapo", "dapo")
    assert recipe.adapter_name == waiting.adapter_name
    assert (recipe.config["group_size"], recipe.config["epsilon_high"]) == (8, 0.28)


async def test_a_record_names_the_libraries_of_its_engine(house: EnhancedHouse) -> None:
    rewarded = prepare(await house.recipe(adapter_name="a"), house.context.sessions)
    tuned = prepare(await house.recipe("sft", adapter_name="b"), house.context.sessions)

    assert {"mlx-lm-lora", "mlx-lm", "mlx"} <= rewarded.versions.keys()
    assert "mlx-lm-lora" not in tuned.versions


async def stopped_run(house: EnhancedHouse) -> str:
    """A GRPO session that ended with a state of checkpoint 20, and owns its adapter."""
    recipe = await house.recipe(group_size=8, reward_functions="token_f1", adapter_name="mine")
    record = prepare(recipe, house.context.sessions)
    record.state = record.training_state = RunState.STOPPED
    house.context.sessions.save(record)
    folder = house.settings.sessions_dir / recipe.session_id
    write_state(folder, 20)
    write_events(folder, [{"type": "metrics", "step": 20, "train_loss": 1.0}])
    own_adapter(recipe.adapter_path, recipe.session_id)
    return recipe.session_id


async def test_a_session_goes_on_with_its_method_and_rewards(house: EnhancedHouse) -> None:
    session_id = await stopped_run(house)

    await house.manager.resume(session_id, iterations=200, checkpoint=None)

    recipe = house.supervisor.started.pop()
    assert (recipe.method, recipe.total_steps, recipe.adapter_name) == ("grpo", 200, "mine")
    assert recipe.config["group_size"] == 8
    assert recipe.config["resume_checkpoint"] == 20
    assert recipe.resumed_from is not None and recipe.resumed_from.step == 20
    assert recipe.overwrite


async def test_a_session_can_t_go_on_as_another_method(house: EnhancedHouse) -> None:
    session_id = await stopped_run(house)

    refused = await refusal(house, "gspo", resume_from=session_id, max_completion_length=32)

    assert [problem.field for problem in refused.errors] == ["training_method"]
