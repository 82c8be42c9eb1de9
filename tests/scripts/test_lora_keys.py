"""The table of LoRA keys: pure from the recording, and the recording from the installed engine."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from backend.training.lora_groups import build_targets
from scripts.lora_keys.__main__ import PAGE, RECORD, survey
from scripts.lora_keys.page import page, share_of_seeds
from scripts.lora_keys.record import pack, unpack


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, Any]]:
    found = unpack(RECORD.read_text(encoding="utf-8"))
    return {one["name"]: one for one in found}


def test_the_page_is_what_the_recording_gives(recorded: dict[str, dict[str, Any]]) -> None:
    written = PAGE.read_text(encoding="utf-8")

    assert page(list(recorded.values()), engine=version("mlx-lm")) == written, (
        "docs/lora-keys.md is old: run python -m scripts.lora_keys"
    )


def test_each_preset_trains_exactly_the_weights_that_were_counted(
    recorded: dict[str, dict[str, Any]],
) -> None:
    presets = [
        (name, preset, numbers)
        for name, one in recorded.items()
        for preset, numbers in one.get("presets", {}).items()
    ]

    assert len(presets) > 500
    for name, preset, numbers in presets:
        assert numbers["attached"] == numbers["counted"] > 0, f"{name}: {preset}"


def test_what_is_not_built_or_trained_is_known_by_name(
    recorded: dict[str, dict[str, Any]],
) -> None:
    assert {name for name, one in recorded.items() if "error" in one} == {
        "olmo",  # Needs a package of its own.
        "prism_hadamard_qwen35",  # Packed weights only.
    }
    assert {name for name, one in recorded.items() if "failure" in one} == {"recurrent_gemma"}


@pytest.mark.parametrize(
    ("name", "share"),
    [("Phi-3-mini", 0.354), ("Mixtral-8x7B", 0.065), ("Qwen3-30B-A3B", 0.016), ("GPT-2", 0.0)],
)
def test_a_fixed_list_of_names_would_cover_little(
    name: str, share: float, recorded: dict[str, dict[str, Any]]
) -> None:
    targets = build_targets(recorded[name]["tree"], total_parameters=None)

    assert share_of_seeds(targets) == pytest.approx(share, abs=0.001)


def test_the_additions_of_each_architecture_are_kept_where_they_match(
    recorded: dict[str, dict[str, Any]],
) -> None:
    def full(name: str) -> set[str]:
        targets = build_targets(recorded[name]["tree"], total_parameters=None)
        return set(targets.presets["full"])

    assert "block_sparse_moe.gate" in full("mixtral") & full("phimoe")
    assert "mlp.shared_expert_gate" in full("qwen2_moe") & full("qwen3_next")
    assert {f"linear_attn.{part}" for part in ("in_proj_qkvz", "in_proj_ba", "out_proj")} < full(
        "qwen3_next"
    )
    assert "linear_attn.dt_bias" not in full("qwen3_next")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("deepseek_v3", ["self_attn.kv_a_proj_with_mqa", "self_attn.q_b_proj"]),
        ("nanochat", ["attn.c_q", "attn.c_v"]),
        ("phixtral", ["mixer.Wqkv"]),
        (
            "qwen3_next",
            ["self_attn.q_proj", "self_attn.v_proj", "linear_attn.in_proj_qkvz"],
        ),
    ],
)
def test_query_and_value_are_found_under_other_names(
    name: str, keys: list[str], recorded: dict[str, dict[str, Any]]
) -> None:
    targets = build_targets(recorded[name]["tree"], total_parameters=None)

    assert targets.presets["qv"] == keys


def test_what_would_break_a_model_is_left_out_and_said_so(
    recorded: dict[str, dict[str, Any]],
) -> None:
    targets = build_targets(recorded["gemma3n"]["tree"], total_parameters=None)

    assert not any(key.name.startswith("altup") for key in targets.keys)
    assert any("altup" in note for note in targets.notes)


@pytest.mark.engine
def test_the_installed_engine_builds_the_recorded_trees_and_trains_their_keys() -> None:
    recorded = RECORD.read_text(encoding="utf-8")

    assert _on_any_machine(pack(survey())) == _on_any_machine(recorded), (
        "run python -m scripts.lora_keys"
    )


def _on_any_machine(record: str) -> str:
    return record.replace("needs a Metal GPU", "ok")
