from __future__ import annotations

from typing import Any

import pytest

from backend.errors import Invalid
from backend.training.lora.counts import count_lora, resolve_keys
from backend.training.lora.groups import (
    SEVEN,
    build_targets,
    coverage_choices,
    group_of,
    unknown_targets,
)
from tests.training.requests import qwen_tree, targets


def tree(architecture: str, *modules: tuple[str, int, int, int], layers: int = 2) -> dict[str, Any]:
    return {
        "architecture": architecture,
        "num_layers": layers,
        "modules": [
            {"layer": layer, "name": name, "inputs": inputs, "outputs": outputs, "copies": copies}
            for layer in range(layers)
            for name, inputs, outputs, copies in modules
        ],
        "others": [],
        "parameters": 1000,
        "block_parameters": [400] * layers,
    }


MIXTRAL = tree(
    "mixtral",
    ("self_attn.q_proj", 8, 8, 1),
    ("self_attn.k_proj", 8, 4, 1),
    ("self_attn.v_proj", 8, 4, 1),
    ("self_attn.o_proj", 8, 8, 1),
    ("block_sparse_moe.gate", 8, 4, 1),
    ("block_sparse_moe.switch_mlp.gate_proj", 8, 16, 4),
    ("block_sparse_moe.switch_mlp.up_proj", 8, 16, 4),
    ("block_sparse_moe.switch_mlp.down_proj", 16, 8, 4),
)


def test_a_dense_model_has_the_seven_matrices_in_their_usual_order() -> None:
    found = targets()

    assert found.presets["full"] == list(SEVEN) == found.presets["full_experts"]
    assert found.presets["attention"] == list(SEVEN[:4])
    assert found.presets["mlp"] == list(SEVEN[4:])
    assert found.presets["qv"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert found.unmatched_seed_keys == []


def test_experts_are_left_out_of_full_and_said_so() -> None:
    found = build_targets(MIXTRAL, total_parameters=None)

    assert found.presets["full"] == [*SEVEN[:4], "block_sparse_moe.gate"]
    assert len(found.presets["full_experts"]) == 8
    assert found.presets["mlp"] == []
    assert any("experts" in note for note in found.notes)


def test_a_fused_matrix_stands_for_all_three() -> None:
    found = build_targets(
        tree("phi3", ("self_attn.qkv_proj", 8, 24, 1), ("self_attn.o_proj", 8, 8, 1)),
        total_parameters=None,
    )

    assert found.presets["qv"] == ["self_attn.qkv_proj"]
    assert any("one matrix" in note for note in found.notes)


def test_a_seed_key_that_is_a_parameter_is_named_and_not_sent() -> None:
    modules = tree("qwen3_next", ("linear_attn.out_proj", 8, 8, 1))
    modules["others"] = ["linear_attn.dt_bias"]

    found = build_targets(modules, total_parameters=None)

    assert "linear_attn.dt_bias" in found.unmatched_seed_keys
    assert "linear_attn.dt_bias" not in found.presets["full"]
    assert any("linear_attn.dt_bias is listed" in note for note in found.notes)


GROUPS = [
    ("self_attn.q_proj", 1, "attention"),
    ("attn.c_attn", 1, "attention"),
    ("attention.wqkv", 1, "attention"),
    ("mlp.down_proj", 1, "mlp"),
    ("feed_forward.w1", 1, "mlp"),
    ("mlp.shared_expert.up_proj", 1, "mlp"),
    ("mlp.switch_mlp.up_proj", 8, "moe"),
    ("mlp.experts.3.w1", 1, "moe"),
    ("mlp.gate", 1, "moe"),
    ("mlp.router", 1, "moe"),
    ("mlp.shared_expert_gate", 1, "moe"),
    ("mlp.gate.proj", 1, "moe"),
    ("mlp.coefficient", 1, "moe"),
    ("self_attn.o_a_proj", 4, "attention"),
    ("mixer.q_proj", 1, "attention"),
    ("mixer.out_proj", 1, "attention"),
    ("mixer.up_proj", 1, "mlp"),
    ("mixer.shared_experts.down_proj", 1, "mlp"),
    ("mixer.switch_mlp.fc1", 4, "moe"),
    ("linear_attn.in_proj_ba", 1, "linear_attention"),
    ("mixer.in_proj", 1, "linear_attention"),
    ("per_layer_input_gate", 1, "other"),
]


@pytest.mark.parametrize(("name", "copies", "group"), GROUPS)
def test_modules_are_grouped_by_their_names(name: str, copies: int, group: str) -> None:
    assert group_of(name, copies=copies, has_experts=True) == group


@pytest.mark.parametrize(
    ("depth", "values"),
    [
        (24, [-1, 16, 8]),
        (32, [-1, 24, 16, 8]),
        (28, [-1, 24, 16, 8]),
        (22, [-1, 16, 11, 8, 5]),
        (4, [-1, 2, 1]),
        (1, [-1]),
    ],
)
def test_coverage_fits_the_depth(depth: int, values: list[int]) -> None:
    assert [choice.value for choice in coverage_choices(depth)] == values


def test_each_matrix_costs_rank_times_both_sides() -> None:
    count = count_lora(targets(), ["self_attn.q_proj", "mlp.down_proj"], num_layers=-1)

    assert count.modules == 4
    assert count.trainable(3) == 2 * 3 * ((8 + 8) + (16 + 8))


def test_only_the_last_layers_count() -> None:
    assert count_lora(targets(), ["self_attn.q_proj"], num_layers=1).trainable(1) == 16


def test_dora_adds_one_magnitude_per_output() -> None:
    count = count_lora(targets(), ["self_attn.k_proj"], num_layers=-1, dora=True)

    assert count.trainable(2) == 2 * (2 * (8 + 4) + 4)


def test_every_expert_costs_as_much_as_a_matrix_of_its_own() -> None:
    found = build_targets(MIXTRAL, total_parameters=None)
    count = count_lora(found, ["block_sparse_moe.switch_mlp.up_proj"], num_layers=1)

    assert count.trainable(2) == 2 * 4 * (8 + 16)


def test_layers_of_different_size_are_counted_one_by_one() -> None:
    uneven = qwen_tree()
    uneven["modules"][-1]["outputs"] = 100

    assert count_lora(targets(uneven), ["mlp.down_proj"], num_layers=-1).rank_cost == 24 + 116


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid) as refusal:
        resolve_keys(targets(), ["self_attn.q_prj"], dora=False)

    assert "self_attn.q_proj" in refusal.value.detail
    assert refusal.value.errors[0].field == "lora_keys"


def test_a_preset_without_a_module_is_refused() -> None:
    with pytest.raises(Invalid, match="mlp"):
        resolve_keys(build_targets(MIXTRAL, total_parameters=None), "mlp", dora=False)


def test_dora_on_experts_is_refused() -> None:
    with pytest.raises(Invalid, match="DoRA"):
        resolve_keys(build_targets(MIXTRAL, total_parameters=None), "full_experts", dora=True)


def test_an_unreadable_tree_answers_the_seven_with_a_warning() -> None:
    found = unknown_targets("foo", 12, None, "no such class")

    assert resolve_keys(found, "full", dora=False) == list(SEVEN)
    assert "no such class" in found.notes[0]


def test_an_architecture_without_a_lora_module_says_so() -> None:
    found = build_targets(tree("bitnet"), total_parameters=None)

    assert any("takes LoRA" in note for note in found.notes)
    with pytest.raises(Invalid, match="full"):
        resolve_keys(found, "full", dora=False)
