"""The enhanced start request: its own defaults, what older scripts send, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from backend.training.plan.defaults import as_standard
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest

DEFAULTS = {
    "val_data_path": "", "adapter_name": "", "learning_rate": 1e-5, "batch_size": 1,
    "max_seq_length": 2048, "iterations": 100, "steps_per_report": 10, "steps_per_eval": 25,
    "save_every": 100, "group_size": 4, "epsilon": 1e-4, "temperature": 0.8,
    "max_completion_length": 512, "importance_sampling_level": None, "epsilon_high": None,
    "updates_per_rollout": 1, "reward_functions": "", "reward_weights": None, "lora_keys": "qv",
}  # fmt: skip


def enhanced(**fields: Any) -> EnhancedStart:
    needed = {"training_method": "grpo", "model_path": "tiny", "train_data_path": "rows.jsonl"}
    return EnhancedStart.model_validate(needed | fields)


def test_the_defaults_are_those_of_the_contract() -> None:
    request = enhanced()

    assert {name: getattr(request, name) for name in DEFAULTS} == DEFAULTS


def test_what_both_tabs_share_is_defined_once() -> None:
    assert set(StartRequest.model_fields) <= set(StandardStart.model_fields)
    for name, field in StartRequest.model_fields.items():
        if name in {"adapter_name", "val_data_path"}:
            continue
        assert EnhancedStart.model_fields[name].title == field.title
        assert EnhancedStart.model_fields[name].metadata == field.metadata


@pytest.mark.parametrize("weights", ["[1, 0.5]", [1, 0.5]])
def test_weights_may_be_a_list_or_a_json_array_in_a_text(weights: Any) -> None:
    assert enhanced(reward_weights=weights).reward_weights == [1.0, 0.5]


def test_nulls_and_lists_of_older_scripts_are_understood() -> None:
    request = enhanced(val_data_path=None, adapter_name=None, reward_functions=["a", "b(1,2)"])

    assert request.val_data_path == request.adapter_name == ""
    assert request.reward_functions == "a, b(1,2)"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"group_size": -1}, "group_size"),
        ({"group_size": 17}, "group_size"),
        ({"temperature": 2.5}, "temperature"),
        ({"reward_weights": "1, 2"}, "reward_weights"),
        ({"reward_weights": ["much"]}, "reward_weights"),
        ({"training_method": "gropo"}, "training_method"),
        ({"adapter_name": "../above"}, "adapter_name"),
        ({"updates_per_rollout": 0}, "updates_per_rollout"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"grop_size": 4}, "grop_size"),
    ],
)
def test_a_wrong_value_is_refused_and_its_field_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        enhanced(**fields)

    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_an_unknown_method_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"Did you mean grpo\?"):
        enhanced(training_method="grppo")


def test_a_method_brings_defaults_that_a_request_may_change() -> None:
    assert (enhanced(training_method="dapo").epsilon_high, enhanced().epsilon_high) == (0.28, None)
    assert enhanced(training_method="dapo", epsilon_high=0.5).epsilon_high == 0.5


def test_sft_of_this_tab_is_the_standard_request_with_this_tabs_defaults() -> None:
    request = as_standard(enhanced(training_method="sft", adapter_name="mine", epsilon=0.2))

    assert isinstance(request, StandardStart)
    assert (request.lora_keys, request.learning_rate, request.iterations) == ("qv", 1e-5, 100)
    assert request.adapter_name == "mine"
    assert request.epsilon is None, "there it is the optimizer's"
    assert "weight_decay" not in request.model_fields_set
