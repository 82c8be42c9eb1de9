"""Random models whose output heads differ: tied, untied, of 4 bits, soft-capped, scaled."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx import nn

from backend.engines.modules.tree import build
from tests.engines.architectures import CONFIGS

_LLAMA = CONFIGS["llama"]
FAMILIES: dict[str, dict[str, Any]] = CONFIGS | {
    "gemma2": _LLAMA
    | {
        "model_type": "gemma2", "head_dim": 16, "query_pre_attn_scalar": 16.0,
        "final_logit_softcapping": 2.0, "attn_logit_softcapping": 5.0,
    },
    "cohere": _LLAMA | {"model_type": "cohere", "logit_scale": 0.1, "layer_norm_eps": 1e-5},
    "granite": _LLAMA
    | {
        "model_type": "granite", "logits_scaling": 4.0, "attention_multiplier": 0.2,
        "embedding_multiplier": 2.0, "residual_multiplier": 0.5, "attention_bias": False,
        "mlp_bias": False, "tie_word_embeddings": True,
    },
}  # fmt: skip


def make(name: str, *, bits: int | None = None) -> nn.Module:
    """A frozen model, the same at each call."""
    mx.random.seed(11)
    model = build(FAMILIES[name])
    if bits is not None:
        nn.quantize(model, group_size=32, bits=bits)
    model.freeze()
    mx.eval(model.parameters())
    return model
