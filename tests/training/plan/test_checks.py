from __future__ import annotations

from typing import Any

import pytest

from backend.errors import Invalid
from backend.training.plan.checks import refuse_impossible, warnings_for
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.model_defaults import known_defaults
from backend.training.request.unused_fields import unused_beside
from tests.training.requests import model, request, targets

IMPOSSIBLE: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"max_seq_length": 10_000}, {}, "max_seq_length", "256"),
    ({"lora_num_layers": 99}, {}, "lora_num_layers", "99"),
    ({"fine_tune_type": "full"}, {"quantization": "4-bit"}, "fine_tune_type", "4-bit"),
    ({"learning_rate": 1e6}, {}, "learning_rate", "1e+06"),
    ({"grad_accumulation_steps": 500}, {}, "grad_accumulation_steps", "500"),
    ({"warmup_steps": 100}, {}, "warmup_steps", "100"),
]


@pytest.mark.parametrize(
    ("fields", "facts", "field", "named"), IMPOSSIBLE, ids=[row[2] for row in IMPOSSIBLE]
)
def test_what_the_engine_would_fail_on_is_refused_beside_its_field(
    fields: dict[str, Any], facts: dict[str, Any], field: str, named: str
) -> None:
    asked = request(**{"max_seq_length": 128, **fields})

    with pytest.raises(Invalid) as refusal:
        refuse_impossible(asked, model(**facts), targets(), 100)

    assert [problem.field for problem in refusal.value.errors] == [field]
    assert named in refusal.value.detail


def test_all_problems_come_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        refuse_impossible(request(learning_rate=5, warmup_steps=900), model(), targets(), 100)

    fields = {problem.field for problem in refusal.value.errors}
    assert fields == {"learning_rate", "warmup_steps", "max_seq_length"}


MISPLACED: list[dict[str, Any]] = [
    {"momentum": 0.5}, {"nesterov": "on"}, {"clip_threshold": 1.0},
    {"beta1": 0.5, "optimizer": "sgd"}, {"beta2": 0.5, "optimizer": "adafactor"},
    {"epsilon": 1e-6, "optimizer": "muon"}, {"bias_correction": True, "optimizer": "sgd"},
    {"nesterov": "on", "optimizer": "sgd"}, {"report_to": "swanlab"},
    {"ns_steps": 5, "optimizer": "sgd"}, {"dampening": 0.1, "optimizer": "muon"},
    {"dampening": 0.1, "optimizer": "sgd"},
    {"dampening": 0.1, "optimizer": "sgd", "momentum": 0.9, "nesterov": "on"},
    {"relative_step": True}, {"scale_parameter": True}, {"decay_rate": -0.5}, {"warmup_init": True},
    {"warmup_init": True, "optimizer": "adafactor"}, {"epsilon_squares": 1e-20},
    {"epsilon_scale": 1e-4, "optimizer": "adafactor"},
]  # fmt: skip


@pytest.mark.parametrize("fields", MISPLACED, ids=str)
def test_an_option_that_would_be_ignored_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        refuse_impossible(request(max_seq_length=64, **fields), model(), targets(), 100)

    assert [problem.field for problem in refusal.value.errors] == [next(iter(fields))]


def warned(**fields: Any) -> str:
    return " ".join(
        warnings_for(request(**fields), iterations=100, checkpoint_bytes=1000, checkpoints=4)
    )


def test_a_strong_multiplier_is_warned_of_with_its_alternative() -> None:
    assert "3.2e-03" in warned() and "alpha_over_rank" in warned()
    assert "multiplier" not in warned(lora_scaling="alpha_over_rank")


def test_odd_settings_are_warned_of() -> None:
    assert "nothing is validated" in warned(val_batches=0)
    assert "weight decay" in warned(optimizer="adam", weight_decay=0.5)
    assert "picks its own rate" in warned(optimizer="adafactor", relative_step=True)
    assert "do not fill a weight update" in warned(grad_accumulation_steps=3)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"fine_tune_type": "full", "lora_rank": 8, "lora_dropout": 0.1, "lora_keys": "qv"},
            "fine_tune_type is full, so lora_rank, lora_dropout and lora_keys do nothing.",
        ),
        ({"project_name": "mine"}, "report_to is empty, so project_name does nothing."),
        ({"early_stop": False, "patience": 9}, "early_stop is off, so patience does nothing."),
        (
            {"val_data_path": "/rows.jsonl", "val_split": 0.2},
            "val_data_path is /rows.jsonl, so val_split does nothing.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_has_no_effect_beside_the_others_is_said(
    fields: dict[str, Any], sentence: str
) -> None:
    assert sentence in warned(**fields)


def test_a_field_left_at_its_default_is_not_said_to_do_nothing() -> None:
    whole = request().model_dump()
    assert "nothing." not in warned(**whole | {"fine_tune_type": "full", "early_stop": False})


def test_each_method_is_asked_about_its_own_fields_only() -> None:
    asked = {"model_path": "m", "train_data_path": "d", "klpo_mc_samples": 5, "delta": 3.0}
    klpo = EnhancedStart.model_validate(
        asked | {"training_method": "klpo", "klpo_kl_estimator": "topk"}
    )
    assert list(unused_beside(klpo)) == [
        "klpo_kl_estimator is topk, so klpo_mc_samples does nothing."
    ]


def test_many_large_checkpoints_are_warned_of() -> None:
    warnings = warnings_for(
        request(lora_scaling="alpha_over_rank"),
        iterations=7329,
        checkpoint_bytes=70_000_000,
        checkpoints=293,
    )

    assert "20.5 GB" in warnings[0]


def test_only_known_and_valid_defaults_of_a_model_are_kept() -> None:
    suggested = {"iterations": 7, "batch_size": "four", "colour": "red", "lora_keys": "qv"}

    assert known_defaults(suggested) == {"iterations": 7, "lora_keys": "qv"}
