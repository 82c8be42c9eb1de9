"""The adapters off are the base, bit for bit, and the policy is left as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.tuner.lora import LoRAEmbedding
from mlx_lm.utils import load
from mlx_lm_lora.trainer.sft_trainer import grad_checkpoint

from backend.engines.rl.policy.reference import AdapterOffReference
from tests.engines.rl.policy.example_batch import largest, largest_gap, load_policy

pytestmark = pytest.mark.engine

INPUTS = mx.array([[5, 9, 17, 40, 3], [7, 7, 2, 90, 8]])
EVERY = (
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
)  # fmt: skip


@pytest.mark.parametrize("use_dora", [False, True], ids=["lora", "dora"])
def test_its_logits_are_exactly_those_of_the_base(tiny_model: Path, use_dora: bool) -> None:
    base, _ = load(str(tiny_model))
    policy = load_policy(tiny_model, keys=EVERY, use_dora=use_dora, dropout=0.5).model
    reference = AdapterOffReference(policy)
    assert mx.array_equal(reference(INPUTS), base(INPUTS))
    policy.eval()
    adapted = policy(INPUTS)
    assert not mx.allclose(adapted, base(INPUTS), atol=1e-3)
    reference(INPUTS)
    assert mx.array_equal(policy(INPUTS), adapted)


def test_adapters_on_embeddings_are_turned_off_too(tiny_model: Path) -> None:
    base, _ = load(str(tiny_model))
    policy = load_policy(tiny_model, keys=("self_attn.q_proj",)).model
    inner = policy["model"]
    inner["embed_tokens"] = LoRAEmbedding.from_base(inner["embed_tokens"], r=2, scale=3.0)
    inner["embed_tokens"].lora_b = mx.ones_like(inner["embed_tokens"].lora_b)
    inner["embed_tokens"].embedding.freeze()
    assert mx.array_equal(AdapterOffReference(policy)(INPUTS), base(INPUTS))


def test_it_follows_no_training_and_sends_no_gradient(tiny_model: Path) -> None:
    policy = load_policy(tiny_model).model
    reference = AdapterOffReference(policy)
    before = reference(INPUTS)

    def both(model: Any) -> Any:
        return (model(INPUTS) * 0).sum() + reference(INPUTS).sum()

    _, gradient = nn.value_and_grad(policy, both)(policy)
    assert all(not value.any().item() for _, value in tree_flatten(gradient))
    policy.load_weights(
        [(name, value + 1) for name, value in tree_flatten(policy.trainable_parameters())],
        strict=False,
    )
    assert mx.array_equal(reference(INPUTS), before)


def test_it_costs_no_second_copy_of_the_weights(tiny_model: Path) -> None:
    policy = load_policy(tiny_model).model
    mx.eval(policy.parameters(), INPUTS)
    weights = sum(value.nbytes for _, value in tree_flatten(policy.parameters()))
    before = mx.get_active_memory()
    reference = AdapterOffReference(policy)
    mx.eval(reference(INPUTS).sum())
    assert mx.get_active_memory() - before < weights / 20


def test_it_is_the_base_under_gradient_checkpointing_too(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, _ = load(str(tiny_model))
    expected = base(INPUTS)
    mx.eval(expected)
    policy = load_policy(tiny_model).model
    reference = AdapterOffReference(policy)

    def away(model: Any) -> mx.array:
        return mx.square(model(INPUTS) - mx.stop_gradient(reference(INPUTS))).sum()

    _, plain = nn.value_and_grad(policy, away)(policy)
    mx.eval(plain)
    block = type(policy.layers[0])
    monkeypatch.setattr(block, "__call__", block.__call__)  # So that the next line is undone.
    grad_checkpoint(policy.layers[0])
    _, checkpointed = nn.value_and_grad(policy, away)(policy)
    assert largest_gap(plain, checkpointed) <= 1e-5 * largest(plain)
    assert mx.array_equal(reference(INPUTS), expected)


def test_readying_the_reference_leaves_the_policy_in_its_mode(tiny_model: Path) -> None:
    policy = load_policy(tiny_model, dropout=0.5).model
    reference = AdapterOffReference(policy)
    trained = [name for name, _ in tree_flatten(policy.trainable_parameters())]
    reference.eval()
    reference.freeze()
    assert policy.training
    assert [name for name, _ in tree_flatten(policy.trainable_parameters())] == trained
    assert reference.state == {}


def test_it_generates_with_a_cache_of_its_own(tiny_model: Path) -> None:
    base, _ = load(str(tiny_model))
    reference = AdapterOffReference(load_policy(tiny_model).model)
    cache = make_prompt_cache(reference)
    reference(INPUTS[:1, :3], cache=cache)
    ours = reference(INPUTS[:1, 3:4], cache=cache)
    theirs = make_prompt_cache(base)
    base(INPUTS[:1, :3], cache=theirs)
    assert mx.array_equal(ours, base(INPUTS[:1, 3:4], cache=theirs))


def test_a_call_that_fails_puts_the_adapters_back(tiny_model: Path) -> None:
    policy = load_policy(tiny_model).model
    policy.eval()
    before = policy(INPUTS)
    with pytest.raises(TypeError):
        AdapterOffReference(policy)(INPUTS, no_such_argument=1)
    assert mx.array_equal(policy(INPUTS), before)


def test_a_model_whose_base_is_trained_is_refused(tiny_model: Path) -> None:
    plain, _ = load(str(tiny_model))
    with pytest.raises(ValueError, match="no LoRA or DoRA layers"):
        AdapterOffReference(plain)
    policy = load_policy(tiny_model).model
    policy["model"]["norm"].unfreeze()
    with pytest.raises(ValueError, match=r"model\.norm\.weight"):
        AdapterOffReference(policy)
    policy["model"]["norm"].freeze()
    policy["model"]["layers"][0]["self_attn"]["q_proj"].linear.unfreeze(keys=["bias"])
    with pytest.raises(ValueError, match=r"q_proj\.linear\.bias"):
        AdapterOffReference(policy)
