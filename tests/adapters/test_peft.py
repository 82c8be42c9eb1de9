from __future__ import annotations

import math
from typing import Any

import pytest

from backend.adapters.peft import NotConvertible, peft_layout
from backend.models.safetensors_headers import Tensor

CONFIG: dict[str, Any] = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
STEM = "base_model.model.model.layers.3.mlp.up_proj"


def tensors(**extra: tuple[int, ...]) -> dict[str, Tensor]:
    shapes = {f"{STEM}.lora_A.weight": (4, 16), f"{STEM}.lora_B.weight": (32, 4), **extra}
    return {name: Tensor("F32", shape) for name, shape in shapes.items()}


def test_names_are_the_engines_and_matrices_are_turned_over() -> None:
    layout = peft_layout(CONFIG, tensors())

    assert {name: tensor.shape for name, tensor in layout.tensors.items()} == {
        "model.layers.3.mlp.up_proj.lora_a": (16, 4),
        "model.layers.3.mlp.up_proj.lora_b": (4, 32),
    }
    assert layout.scale == 2.0


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"use_rslora": True}, 8 / math.sqrt(4)),
        ({"lora_alpha": 2.0}, 0.5),
        ({"alpha_pattern": {"mlp.up_proj": 4}}, 1.0),
        ({"alpha_pattern": {r".*\.layers\.[0-9]+\.mlp\..*": 16}}, 4.0),
        ({"alpha_pattern": {"other": 4, "(": 1}}, 2.0),
    ],
)
def test_the_scale_follows_alpha_and_the_rank(config: dict[str, Any], scale: float) -> None:
    assert peft_layout(CONFIG | config, tensors()).scale == pytest.approx(scale)


def test_modules_of_other_ranks_keep_their_own_scale() -> None:
    other = "base_model.model.model.layers.3.self_attn.q_proj"
    layout = peft_layout(
        CONFIG,
        tensors(**{f"{other}.lora_A.weight": (8, 16), f"{other}.lora_B.weight": (16, 8)}),
    )

    assert layout.scales == {
        "model.layers.3.mlp.up_proj": 2.0,
        "model.layers.3.self_attn.q_proj": 1.0,
    }


def test_embeddings_and_dora_are_understood() -> None:
    layout = peft_layout(
        CONFIG,
        tensors(
            **{
                f"{STEM}.lora_magnitude_vector.weight": (32,),
                "base_model.model.model.embed_tokens.lora_embedding_A": (4, 100),
                "base_model.model.model.embed_tokens.lora_embedding_B": (16, 4),
            }
        ),
    )

    shapes = {name: tensor.shape for name, tensor in layout.tensors.items()}
    assert shapes["model.layers.3.mlp.up_proj.m"] == (32,)
    assert shapes["model.embed_tokens.lora_a"] == (100, 4)
    assert shapes["model.embed_tokens.lora_b"] == (4, 16)


@pytest.mark.parametrize(
    ("config", "extra", "sentence"),
    [
        ({"peft_type": "IA3"}, {}, "of type IA3, not LoRA"),
        ({}, {"base_model.model.lm_head.weight": (9, 9)}, "also changes base_model.model.lm_head"),
        ({}, {f"{STEM}.conv.lora_A.weight": (4, 3, 3, 3)}, "no matrix of a layer"),
        ({"lora_alpha": None}, {}, "no lora_alpha"),
        ({"alora_invocation_tokens": [5, 6]}, {}, "works only after those tokens"),
        ({"layer_replication": [[0, 2], [1, 3]]}, {}, "used several times"),
    ],
)
def test_what_can_not_be_converted_says_why(
    config: dict[str, Any], extra: dict[str, tuple[int, ...]], sentence: str
) -> None:
    with pytest.raises(NotConvertible, match=sentence):
        peft_layout(CONFIG | config, tensors(**extra))


def test_a_copy_of_the_bases_embedding_is_passed_over_and_named() -> None:
    embedding = "base_model.model.model.embed_tokens"
    layout = peft_layout(
        CONFIG,
        tensors(
            **{
                f"{embedding}.base_layer.weight": (100, 16),
                f"{embedding}.lora_embedding_A": (4, 100),
                f"{embedding}.lora_embedding_B": (16, 4),
            }
        ),
    )

    assert layout.tensors["model.embed_tokens.lora_a"].shape == (100, 4)
    assert not [name for name in layout.names if "base_layer" in name]
    assert "copy of the base's own model.embed_tokens" in layout.warnings[0]


def test_an_initialisation_that_changes_the_base_is_warned_of() -> None:
    assert "pissa" in peft_layout(CONFIG | {"init_lora_weights": "pissa"}, tensors()).warnings[0]
    assert not peft_layout(CONFIG | {"init_lora_weights": True}, tensors()).warnings
