"""The table of methods: whole, in order, and what the form and the engine are told by it."""

from __future__ import annotations

import pytest

from backend.training.request.method import Method
from backend.training.request.method_answers import MethodParameter
from backend.training.request.method_descriptions import methods_answer
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS

ROWS = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


def parameter(method: str, name: str) -> MethodParameter:
    found = methods_answer().methods[method].additional_params
    return next(one for one in found if one.name == name)


def test_the_four_methods_of_the_cards_come_first() -> None:
    assert list(methods_answer().methods)[:4] == ["sft", "gspo", "dr_grpo", "grpo"]


@ROWS
def test_every_parameter_is_a_field_of_the_request(method: Method) -> None:
    fields = EnhancedStart.model_fields
    named = {*method.params, *method.choices, *method.defaults, *method.suggested}

    assert named <= set(fields)
    assert len(method.params) == len(set(method.params))


@ROWS
def test_a_request_of_nothing_but_the_method_has_that_methods_defaults(method: Method) -> None:
    needed = {"training_method": method.id, "model_path": "m", "train_data_path": "d"}
    request = EnhancedStart.model_validate(needed)

    for name, value in method.defaults.items():
        assert getattr(request, name) == value
    for one in methods_answer().methods[method.id].additional_params:
        if one.name not in method.choices:
            assert getattr(request, one.name) == one.default


@ROWS
def test_what_is_shown_of_a_method_is_complete(method: Method) -> None:
    shown = methods_answer().methods[method.id]

    assert shown.complexity.count("⭐") == shown.stars in range(1, 6)
    assert shown.description.endswith(".")
    assert shown.use_case
    assert shown.data_example.startswith("{")
    assert shown.estimated_speedup is None, "only what was measured may be told"
    for one in shown.additional_params:
        assert one.title, one.name
        assert one.help, one.name


def test_a_method_is_pinned_to_the_options_that_make_it_what_it_is() -> None:
    assert parameter("gspo", "importance_sampling_level").options == ["sequence"]
    assert parameter("grpo", "importance_sampling_level").options == ["token"]
    assert parameter("dr_grpo", "grpo_loss_type").options == ["dr_grpo"]
    assert "dr_grpo" not in (parameter("grpo", "grpo_loss_type").options or [])


def test_epsilon_is_inactive_at_one_update_per_rollout_with_its_reason() -> None:
    for name in ("epsilon", "epsilon_high"):
        inactive = parameter("grpo", name).inactive
        assert inactive is not None
        assert (inactive.field, inactive.equals) == ("updates_per_rollout", 1)
        assert "ratio is exactly 1" in inactive.reason
    assert parameter("ppo", "epsilon").inactive is None


@pytest.mark.parametrize(
    ("method", "name", "field", "equals", "otherwise"),
    [
        ("gspo", "reference_model_path", "beta", 0, False),
        ("online_dpo", "judge", "reward_functions", "", True),
        ("ppo", "judge_system_prompt", "reward_functions", "", True),
        ("dsla", "preference_loss", "dsla_loss", "orpo", False),
        ("dsla", "delta", "dsla_loss", "orpo", False),
        ("dsla", "reference_model_path", "dsla_loss", "dpo", True),
    ],
)
def test_what_does_nothing_beside_another_value_says_why(
    method: str, name: str, field: str, equals: object, otherwise: bool
) -> None:
    inactive = parameter(method, name).inactive

    assert inactive is not None
    assert (inactive.field, inactive.equals, inactive.otherwise) == (field, equals, otherwise)
    assert inactive.reason.endswith(".")


def test_what_always_counts_is_never_inactive() -> None:
    assert parameter("dpo", "preference_loss").inactive is None
    assert parameter("dpo", "reference_model_path").inactive is None
    assert parameter("grpo", "beta").inactive is None


def test_a_parameter_brings_its_type_range_and_help() -> None:
    group = parameter("grpo", "group_size")
    high = parameter("grpo", "epsilon_high")

    assert (group.type, group.default, group.minimum, group.maximum) == ("integer", 4, 2, 16)
    assert "decoded together" in group.help
    assert (high.type, high.default, high.nullable, high.above) == ("number", None, True, 0)
    assert parameter("grpo", "reward_weights").type == "list"
    ranges = {
        ("grpo", "group_size"): "2 to 16",
        ("grpo", "epsilon"): "above 0, below 1",
        ("grpo", "epsilon_high"): "above 0",
        ("grpo", "beta"): "at least 0",
        ("dpo", "preference_loss"): "sigmoid, hinge, ipo, dpop",
        ("ppo", "judge"): None,
    }
    assert {key: parameter(*key).range for key in ranges} == ranges
    assert parameter("dpo", "preference_loss").options == ["sigmoid", "hinge", "ipo", "dpop"]


def test_policy_methods_go_by_reward_preferences_by_accuracy_and_sft_by_loss() -> None:
    assert {METHODS[name].select_by for name in ("gspo", "dr_grpo", "grpo", "klpo")} == {
        "val_reward"
    }
    assert {METHODS[name].select_by for name in ("dpo", "orpo", "cpo")} == {"val_accuracy"}
    assert METHODS["sft"].select_by == "val_loss"
