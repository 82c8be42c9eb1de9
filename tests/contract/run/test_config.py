"""What the server writes into config.yaml is what the engines read, also of earlier versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.contract.record import BadRecord
from backend.contract.run.config import LoraParameters, MethodConfig, SftConfig, read_run_config
from backend.training.plan.run_config import RunPaths, build_config
from tests.training.requests import request

EARLIER = Path(__file__).parents[2] / "jobs" / "previous_version"
PATHS = RunPaths(model=Path("/m"), run=Path("/r"), adapter=Path("/a"))
SINCE = (
    "enable_early_stop", "no_improve_patience_evals", "early_stop_min_delta", "keep_checkpoints",
    "session_id", "method", "model_fingerprint", "quantize_base", "quantize_from",
    "resume_checkpoint", "lora_alpha",
)  # fmt: skip


def built(**fields: Any) -> dict[str, Any]:
    return build_config(
        request(**fields), session_id="s", paths=PATHS, keys=("self_attn.q_proj",), iterations=8,
        model_fingerprint="f",
    )  # fmt: skip


def test_the_server_s_keys_are_those_of_the_engine() -> None:
    values = built(lora_rank=4, patience=7, keep_checkpoints=2)

    config = read_run_config(SftConfig, values)

    assert (config.model, config.iters, config.session_id) == ("/m", 8, "s")
    assert (config.no_improve_patience_evals, config.keep_checkpoints) == (7, 2)
    assert isinstance(config.lora_parameters, LoraParameters)
    assert (config.lora_parameters.rank, config.lora_parameters.keys) == (4, ["self_attn.q_proj"])
    assert config.values == values


def test_keys_that_an_earlier_version_did_not_write_have_defaults() -> None:
    values = {name: value for name, value in built().items() if name not in SINCE}

    config = read_run_config(SftConfig, values)

    assert (config.enable_early_stop, config.no_improve_patience_evals) == (False, 3)
    assert (config.keep_checkpoints, config.early_stop_min_delta) == (0, 0.0)
    assert (config.method, config.session_id, config.quantize_base) == ("sft", None, None)


def test_full_fine_tuning_has_no_lora_parameters() -> None:
    values = built() | {"fine_tune_type": "full"}

    config = read_run_config(SftConfig, values)

    assert config.lora_parameters is None
    assert config.values["lora_parameters"] is None


def test_a_folder_of_an_earlier_version_is_read() -> None:
    values = yaml.safe_load((EARLIER / "grpo" / "config.yaml").read_text(encoding="utf-8"))

    config = read_run_config(MethodConfig, values | {"fine_tune_type": values["train_type"]})

    assert (config.train_mode, config.group_size, config.select_by) == ("grpo", 2, "val_reward")
    assert config.reward_functions == ["token_f1"]


def test_a_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(BadRecord, match=r"SftConfig\.batch_size is str, not int"):
        read_run_config(SftConfig, built() | {"batch_size": "four"})
