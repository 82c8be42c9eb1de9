from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.models import gated_delta
from mlx_lm.tuner.trainer import default_loss

from backend.engines.modules.tree import build
from backend.engines.sft.recurrences import save_recurrence_memory
from tests.engines.loss.families import make

pytestmark = pytest.mark.engine

WIDTH = 257
HYBRID = {
    "model_type": "qwen3_next", "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 96,
    "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 32,
    "linear_value_head_dim": 32, "linear_conv_kernel_dim": 4, "num_experts": 2,
    "num_experts_per_tok": 1, "decoder_sparse_step": 1, "shared_expert_intermediate_size": 48,
    "mlp_only_layers": [], "moe_intermediate_size": 48, "rms_norm_eps": 1e-6, "rope_theta": 1e4,
    "partial_rotary_factor": 0.5, "max_position_embeddings": 512, "norm_topk_prob": True,
    "tie_word_embeddings": True, "full_attention_interval": 2,
}  # fmt: skip


@pytest.fixture
def patched() -> Iterator[None]:
    """The engine's functions as they were, afterwards."""
    plain = gated_delta.gated_delta_ops
    yield
    gated_delta.gated_delta_ops = plain
    gated_delta._mlx_lm_lora_memory_safe = False


def step(model: nn.Module) -> tuple[int, float, dict[str, mx.array]]:
    """Peak above the weights, loss and gradient."""
    tokens = mx.random.randint(0, 96, (1, WIDTH), key=mx.random.key(1))
    mx.eval(model.parameters(), tokens)
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    (loss, _), grads = nn.value_and_grad(model, default_loss)(model, tokens, mx.array([[0, WIDTH]]))
    mx.eval(loss, grads)
    return mx.get_peak_memory() - before, loss.item(), dict(tree_flatten(grads))


@pytest.mark.usefixtures("patched")
def test_a_hybrid_model_trains_in_less_memory_with_the_same_gradients() -> None:
    mx.random.seed(1)
    model: Any = build(HYBRID)
    model.train()
    whole, loss, wanted = step(model)

    assert save_recurrence_memory(model)

    peak, same, grads = step(model)
    assert peak < 0.7 * whole
    assert same == pytest.approx(loss, rel=1e-6)
    for name, value in wanted.items():
        assert mx.allclose(grads[name], value, rtol=1e-5, atol=1e-7), name


def test_a_model_without_recurrences_is_left_alone() -> None:
    plain = gated_delta.gated_delta_ops
    assert not save_recurrence_memory(make("qwen2"))
    assert gated_delta.gated_delta_ops is plain
