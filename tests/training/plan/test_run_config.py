from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.training.plan.run_config import RunPaths, build_config, command_for, lr_schedule
from backend.training.request.sft_fields import StandardStart
from tests.training.requests import request

PATHS = RunPaths(model=Path("/m"), run=Path("/s/id"), adapter=Path("/a/name"))
ENGINE_KEYS = {
    "model", "train", "data", "fine_tune_type", "optimizer", "optimizer_config", "seed",
    "num_layers", "batch_size", "iters", "val_batches", "learning_rate", "lr_schedule",
    "steps_per_report", "steps_per_eval", "save_every", "grad_accumulation_steps",
    "grad_checkpoint", "max_seq_length", "mask_prompt", "resume_adapter_file", "adapter_path",
    "test", "lora_parameters",
}  # fmt: skip


def config(iterations: int = 100, **fields: Any) -> dict[str, Any]:
    return build_config(
        request(**fields),
        session_id="id",
        paths=PATHS,
        keys=["self_attn.q_proj"],
        iterations=iterations,
        model_fingerprint="f",
    )


def test_every_key_of_the_engine_is_explicit() -> None:
    assert set(config()) >= ENGINE_KEYS


def test_the_defaults_are_full_layer_lora() -> None:
    built = config()

    assert built["num_layers"] == -1
    assert built["learning_rate"] == 1e-4
    assert built["lora_parameters"] == {
        "rank": 32, "scale": 32.0, "dropout": 0.0, "keys": ["self_attn.q_proj"],
    }  # fmt: skip
    assert (built["lora_rank"], built["lora_alpha"], built["lora_dropout"]) == (32, 32.0, 0.0)


def adamw(**options: Any) -> dict[str, Any]:
    return {"adamw": {"weight_decay": 0.01, "bias_correction": False} | options}


def adafactor(**options: Any) -> dict[str, Any]:
    off = {"relative_step": False, "scale_parameter": False, "warmup_init": False}
    return {"adafactor": {"weight_decay": 0.01} | off | options}


FIELDS: list[tuple[dict[str, Any], str, Any]] = [
    ({"learning_rate": 3e-5}, "learning_rate", 3e-5),
    ({"batch_size": 7}, "batch_size", 7),
    ({"max_seq_length": 99}, "max_seq_length", 99),
    ({"steps_per_report": 3}, "steps_per_report", 3),
    ({"steps_per_eval": 3}, "steps_per_eval", 3),
    ({"save_every": 3}, "save_every", 3),
    ({"early_stop": False}, "enable_early_stop", False),
    ({"patience": 9}, "no_improve_patience_evals", 9),
    ({"min_delta": 0.5}, "early_stop_min_delta", 0.5),
    ({"adapter_name": "other"}, "adapter_name", "other"),
    ({"fine_tune_type": "dora"}, "fine_tune_type", "dora"),
    ({"lora_scaling": "rslora"}, "lora_scaling", "rslora"),
    ({"lora_num_layers": 3}, "num_layers", 3),
    ({"lora_num_layers": 0}, "num_layers", -1),
    ({"optimizer": "muon"}, "optimizer", "muon"),
    ({"weight_decay": 0.2}, "optimizer_config", adamw(weight_decay=0.2)),
    ({"beta1": 0.8}, "optimizer_config", adamw(betas=[0.8, 0.999])),
    ({"beta2": 0.99}, "optimizer_config", adamw(betas=[0.9, 0.99])),
    ({"epsilon": 1e-6}, "optimizer_config", adamw(eps=1e-6)),
    ({"bias_correction": True}, "optimizer_config", adamw(bias_correction=True)),
    (
        {"optimizer": "sgd", "momentum": 0.5, "nesterov": "on"},
        "optimizer_config",
        {"sgd": {"weight_decay": 0.01, "momentum": 0.5, "nesterov": True}},
    ),
    (
        {"optimizer": "muon", "nesterov": "off"},
        "optimizer_config",
        {"muon": {"weight_decay": 0.01, "nesterov": False}},
    ),
    (
        {"optimizer": "adafactor", "clip_threshold": 2.0, "beta1": 0.5, "weight_decay": 0.0},
        "optimizer_config",
        {
            "adafactor": {
                "weight_decay": 0.0,
                "relative_step": False,
                "scale_parameter": False,
                "warmup_init": False,
                "beta_1": 0.5,
                "clip_threshold": 2.0,
            }
        },
    ),
    (
        {
            "optimizer": "adafactor",
            "relative_step": True,
            "scale_parameter": True,
            "warmup_init": True,
            "decay_rate": -0.5,
        },
        "optimizer_config",
        {
            "adafactor": {
                "weight_decay": 0.01,
                "relative_step": True,
                "scale_parameter": True,
                "warmup_init": True,
                "decay_rate": -0.5,
            }
        },
    ),
    (
        {"optimizer": "adafactor", "epsilon_squares": 1e-20},
        "optimizer_config",
        adafactor(eps=[1e-20, 1e-3]),
    ),
    (
        {"optimizer": "adafactor", "scale_parameter": True, "epsilon_scale": 1e-4},
        "optimizer_config",
        adafactor(scale_parameter=True, eps=[1e-30, 1e-4]),
    ),
    (
        {"optimizer": "sgd", "momentum": 0.5, "dampening": 0.25},
        "optimizer_config",
        {"sgd": {"weight_decay": 0.01, "momentum": 0.5, "dampening": 0.25}},
    ),
    (
        {"optimizer": "muon", "ns_steps": 7},
        "optimizer_config",
        {"muon": {"weight_decay": 0.01, "ns_steps": 7}},
    ),
    ({"optimizer": "adam"}, "optimizer_config", {"adam": {"bias_correction": False}}),
    ({"report_to": "wandb"}, "report_to", "wandb"),
    ({"project_name": "p"}, "project_name", "p"),
    ({"grad_accumulation_steps": 4}, "grad_accumulation_steps", 4),
    ({"grad_checkpoint": False}, "grad_checkpoint", False),
    ({"max_grad_norm": 1.0}, "max_grad_norm", 1.0),
    ({"sample_prompts": ["Why?"]}, "sample_prompts", ["Why?"]),
    ({"sample_prompts": ["Why?"], "sample_max_tokens": 9}, "sample_max_tokens", 9),
    ({"mask_prompt": True}, "mask_prompt", True),
    ({"seed": 5}, "seed", 5),
    ({"val_batches": 5}, "val_batches", 5),
    ({"test": True}, "test", True),
    ({"keep_checkpoints": 2}, "keep_checkpoints", 2),
    ({"fine_tune_type": "full"}, "lora_parameters", None),
    ({"quantize_base": 8}, "quantize_base", 8),
    (
        {"distributed": {"processes": 2}},
        "distributed",
        {"processes": 2, "hostfile": None, "backend": "ring"},
    ),
]


@pytest.mark.parametrize(("fields", "key", "value"), FIELDS, ids=[str(row[0]) for row in FIELDS])
def test_each_field_reaches_the_configuration(fields: dict[str, Any], key: str, value: Any) -> None:
    assert config(**fields)[key] == value


@pytest.mark.parametrize(
    ("scaling", "scale"),
    [("mlx", 16.0), ("alpha_over_rank", 2.0), ("rslora", 16 / math.sqrt(8))],
)
def test_the_multiplier_follows_the_scaling_rule(scaling: str, scale: float) -> None:
    built = config(lora_rank=8, lora_alpha=16.0, lora_scaling=scaling)

    assert built["lora_parameters"]["scale"] == scale


def test_a_constant_rate_needs_no_schedule() -> None:
    assert lr_schedule(request(), 100) is None


def test_schedules_are_counted_in_weight_updates() -> None:
    asked = request(lr_schedule="cosine", warmup_steps=20, grad_accumulation_steps=2)

    assert lr_schedule(asked, 100) == {
        "name": "cosine_decay",
        "arguments": [1e-4, 40, 0.0],
        "warmup": 10,
        "warmup_init": 0.0,
    }


def test_a_linear_schedule_ends_at_zero() -> None:
    schedule = lr_schedule(request(lr_schedule="linear"), 100)

    assert schedule == {"name": "linear_schedule", "arguments": [1e-4, 0.0, 100]}


def test_a_warm_up_alone_is_a_schedule_that_stays_level() -> None:
    schedule = lr_schedule(request(warmup_steps=10), 100)

    assert schedule is not None
    assert schedule["arguments"] == [1e-4, 1e-4, 90]


def test_adafactor_is_told_to_use_the_given_rate() -> None:
    options = config(optimizer="adafactor")["optimizer_config"]["adafactor"]

    assert options["relative_step"] is False


def test_a_mark_of_the_form_names_fields_and_values_that_there_are() -> None:
    fields = StandardStart.model_fields
    marked = 0
    for name, field in fields.items():
        marks = cast(dict[str, Any], field.json_schema_extra)
        for other, values in marks.get("when", {}).items():
            marked += 1
            for value in values:
                assert getattr(request(**{other: value}), other) == value, (name, other)

    assert marked > 20


def test_the_question_before_a_strong_run_is_in_no_card() -> None:
    marks = cast(dict[str, Any], StandardStart.model_fields["confirm_high_scale"].json_schema_extra)

    assert marks["group"] == "run"


def test_the_command_quotes_its_path() -> None:
    assert (
        command_for(Path("/a b/id"), request())
        == "python -m mlx_lm lora --config '/a b/id/config.yaml'"
    )


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "learning_rate": st.floats(1e-9, 1.0),
            "lora_alpha": st.floats(1e-3, 1e3),
            "lora_dropout": st.floats(0, 0.99),
            "notes": st.text(max_size=50),
            "seed": st.integers(0, 2**32 - 1),
            "lora_scaling": st.sampled_from(["mlx", "alpha_over_rank", "rslora"]),
            "lr_schedule": st.sampled_from(["constant", "cosine", "linear"]),
        },
    )
)
def test_the_written_file_reads_back_as_intended(fields: dict[str, Any]) -> None:
    built = config(**fields)

    assert yaml.safe_load(yaml.safe_dump(built, sort_keys=False)) == built


def test_every_field_of_the_request_is_accounted_for() -> None:
    """A new field must reach the configuration, or stand here with its reason."""
    elsewhere = {
        "model_path", "train_data_path", "val_data_path", "val_split",  # staged data and paths
        "on_bad_rows",  # the staged data; tests/field/templates
        "iterations", "epochs",  # become iters
        "overwrite", "queue", "notes", "tags",  # the server's own
        "auto_continue",  # the server's own; tests/training/test_auto_continue.py
        "resume_from", "resume_checkpoint",  # tests/training/plan/test_resume.py
        "confirm_high_scale",  # tests/training/plan/test_effective_scale.py
        "lora_keys", "lora_rank", "lora_alpha", "lora_dropout",  # checked above
    }  # fmt: skip
    tested = {name for row in FIELDS for name in row[0]} | {"lr_schedule", "warmup_steps"}

    assert set(StandardStart.model_fields) == elsewhere | tested


def test_a_run_of_one_process_has_no_key_for_several() -> None:
    assert "distributed" not in config()


@pytest.mark.parametrize(
    ("distributed", "begins"),
    [
        (None, "python -m mlx_lm lora --config /s/id/config.yaml"),
        ({"processes": 2}, "mlx.launch --backend ring -n 2 -- python -m mlx_lm lora"),
        (
            {"hostfile": "/my hosts.json", "backend": "jaccl"},
            "mlx.launch --backend jaccl --hostfile '/my hosts.json' -- python -m mlx_lm lora",
        ),
    ],
)
def test_the_command_starts_as_many_processes(distributed: Any, begins: str) -> None:
    asked = request(distributed=distributed)

    assert command_for(PATHS.run, asked).startswith(begins)
