"""The table of LoRA keys: pure from the recording, and the recording from the installed engine."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from backend.training.lora.counts import count_lora
from backend.training.lora.groups import build_targets
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


# Millions of weights, of LoRA at rank 32 on the seeds that match, and on every matrix: measured
# with the engine alone when the app was planned.
AT_REAL_SCALE = {
    "Qwen2.5-0.5B": (494.033, 17.596, 17.596),
    "Qwen2.5-7B": (7615.6, 80.740, 80.740),
    "Qwen3-0.6B": (596.050, 20.185, 20.185),
    "Llama-3.2-1B": (1235.8, 22.544, 22.544),
    "Gemma3-1B": (1301.9, 26.092, 26.092),
    "Granite-3-2B": (2533.5, 56.361, 56.361),
    "Phi-3-mini": (3821.1, 17.826, 50.332),
    "Mixtral-8x7B": (46702.8, 31.465, 484.450),
    "Phi-3.5-MoE": (41873.2, 31.474, 547.373),
    "Qwen1.5-MoE-A2.7B": (14315.8, 14.157, 511.228),
    "Qwen3-30B-A3B": (30532.1, 26.739, 1691.0),
    "Qwen3-Next-80B-A3B": (79674.4, 37.431, 6093.0),
    "gpt-oss-20b": (20914.8, 15.925, 442.835),
    "DeepSeek-V3": (671026, 53.346, 13324),
}


@pytest.mark.parametrize("name", AT_REAL_SCALE)
def test_published_models_have_the_numbers_that_were_measured(
    name: str, recorded: dict[str, dict[str, Any]]
) -> None:
    total, of_seeds, of_all = AT_REAL_SCALE[name]
    targets = build_targets(recorded[name]["tree"], total_parameters=None)

    def millions(keys: list[str]) -> float:
        return count_lora(targets, keys, num_layers=-1).trainable(32) / 1e6

    assert (targets.total_parameters or 0) / 1e6 == pytest.approx(total, rel=2e-5)
    assert millions(targets.seed_keys) == pytest.approx(of_seeds, abs=1e-3)
    assert millions(targets.presets["full_experts"]) == pytest.approx(of_all, rel=5e-5)


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
