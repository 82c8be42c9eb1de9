from __future__ import annotations

import os
from typing import Any, Literal

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.trainer import grad_checkpoint
from mlx_lm.tuner.utils import linear_to_lora_layers

from backend.contract.run.config import Adaptation, LoraParameters
from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.sft.batches import learned_positions
from backend.engines.trainer.lora import attach
from backend.engines.trainer.token_losses import masked_loss, token_losses
from tests.engines.loss.families import FAMILIES, make

pytestmark = pytest.mark.engine

ROWS, WIDTH, VOCABULARY = 3, 40, 96


def adaptation(kind: Literal["lora", "dora", "full"], *keys: str) -> Any:
    parameters = LoraParameters(rank=2, scale=2.0, dropout=0.0, keys=keys or None)
    return Adaptation(
        num_layers=2 if kind != "full" else 1,
        seed=1,
        fine_tune_type=kind,
        lora_parameters=None if kind == "full" else parameters,
    )


def batch() -> tuple[mx.array, np.ndarray[Any, Any]]:
    chance = np.random.default_rng(5)
    tokens = chance.integers(0, VOCABULARY, (ROWS, WIDTH))
    return mx.array(tokens), chance.random((ROWS, WIDTH - 1)) < 0.3


def gradient(model: Any, loss: Any, *arrays: mx.array) -> tuple[Any, dict[str, mx.array]]:
    value, grads = nn.value_and_grad(model, loss)(model, *arrays)
    return value, dict(tree_flatten(grads))


def assert_equal_losses_and_gradients(model: Any) -> None:
    mx.random.seed(3)  # As after some steps: at first one half of every adapter is zero.
    model.update(
        nn.utils.tree_map(
            lambda value: value + 0.1 * mx.random.normal(value.shape), model.trainable_parameters()
        )
    )
    model.train()
    tokens, mask = batch()
    losses = token_losses(model)
    assert losses.of_positions is not None
    positions = mx.array(learned_positions(mask))
    (expected, count), wanted = gradient(model, masked_loss, tokens, mx.array(mask))
    (loss, counted), grads = gradient(model, losses.of_positions, tokens, positions)
    model.eval()
    validation, _ = losses.of_positions(model, tokens, positions)

    assert counted.item() == count.item() == mask.sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert validation.item() == pytest.approx(expected.item(), rel=1e-5)
    assert grads.keys() == wanted.keys()
    largest = max(float(mx.abs(value).max()) for value in wanted.values())
    for name, value in wanted.items():
        assert float(mx.abs(grads[name] - value).max()) <= 1e-5 * largest, name


@pytest.mark.parametrize("name", FAMILIES)
def test_losses_and_gradients_of_adapters_are_the_engines(name: str) -> None:
    model = make(name)
    attach(model, adaptation("lora"))
    assert_equal_losses_and_gradients(model)


@pytest.mark.parametrize("name", ["qwen2", "llama"])
def test_so_are_those_behind_a_head_of_4_bits(name: str) -> None:
    model = make(name, bits=4)
    attach(model, adaptation("lora"))
    assert_equal_losses_and_gradients(model)


@pytest.mark.parametrize("kind", ["dora", "full"])
def test_so_are_those_of_dora_and_of_whole_blocks(kind: Literal["dora", "full"]) -> None:
    model = make("qwen2")
    attach(model, adaptation(kind))
    assert_equal_losses_and_gradients(model)


def test_so_are_those_with_gradient_checkpointing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make("llama")
    attach(model, adaptation("lora"))
    block = type(model.layers[0])
    monkeypatch.setattr(block, "__call__", block.__call__)  # The engine changes the class.
    grad_checkpoint(model.layers[0])
    assert_equal_losses_and_gradients(model)


def all_logits(model: Any, tokens: mx.array, mask: mx.array, start: int) -> mx.array:
    logits = model(tokens[:, :-1])[:, start:].astype(mx.float32)
    losses = nn.losses.cross_entropy(logits, tokens[:, start + 1 :])
    return mx.where(mask, -losses, 0)


def adapted(name: str = "qwen2") -> Any:
    model = make(name)
    attach(model, adaptation("lora"))
    for module in model.modules():
        if "lora_b" in module:
            module.lora_b = mx.random.normal(module.lora_b.shape) * 0.1
    return model.train()


@pytest.mark.parametrize("start", [0, 7])
def test_log_probabilities_and_their_gradients_are_those_of_all_logits(start: int) -> None:
    model = adapted()
    ours = token_losses(model).log_probabilities
    assert ours is not None
    tokens, mask = batch()
    scored = mx.array(mask[:, start:])

    def total(score: Any) -> Any:
        return lambda model, *arrays: (score(model, *arrays, start) * scored * 0.3).sum()

    expected, wanted = gradient(model, total(all_logits), tokens, scored)
    value, grads = gradient(model, total(ours), tokens, scored)

    assert mx.allclose(
        ours(model, tokens, scored, start), all_logits(model, tokens, scored, start), atol=1e-5
    )
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    largest = max(float(mx.abs(each).max()) for each in wanted.values())
    for name, each in wanted.items():
        assert float(mx.abs(grads[name] - each).max()) <= 1e-5 * largest, name


def test_a_compiled_step_has_the_same_log_probabilities() -> None:
    """Inside it no mask is known, so all positions go through the head."""
    model = adapted()
    ours = token_losses(model).log_probabilities
    assert ours is not None
    tokens, mask = batch()
    mx.enable_compile()
    try:
        compiled = mx.compile(lambda tokens, mask: ours(model, tokens, mask, 0))(
            tokens, mx.array(mask)
        )
        mx.eval(compiled)
    finally:
        if os.environ.get("MLX_DISABLE_COMPILE"):
            mx.disable_compile()
    assert mx.allclose(compiled, all_logits(model, tokens, mx.array(mask), 0), atol=1e-5)


def test_a_reference_is_scored_as_itself() -> None:
    model, other = adapted(), make("llama")
    ours = token_losses(model).log_probabilities
    assert ours is not None
    tokens, mask = batch()
    scored = mx.array(mask)
    policy = ours(model, tokens, scored, 0)
    reference = ours(AdapterOffReference(model), tokens, scored, 0)

    assert mx.allclose(reference, all_logits(make("qwen2"), tokens, scored, 0), atol=1e-5)
    assert not mx.allclose(reference, policy, atol=1e-3)
    assert mx.allclose(
        ours(other, tokens, scored, 0), all_logits(other, tokens, scored, 0), atol=1e-5
    )


def test_an_answer_without_tokens_has_no_log_probability() -> None:
    model = adapted()
    ours = token_losses(model).log_probabilities
    assert ours is not None
    tokens, mask = batch()
    assert not ours(model, tokens, mx.zeros(mask.shape, mx.bool_), 0).any()


def test_a_run_that_trains_the_head_takes_all_logits_and_says_so() -> None:
    model = make("llama")
    linear_to_lora_layers(model, -1, {"rank": 2, "scale": 1.0, "dropout": 0.0, "keys": ["lm_head"]})
    losses = token_losses(model)
    assert (losses.of_positions, losses.log_probabilities) == (None, None)
    assert losses.description == (
        "Loss: over the logits of all positions at once, because lm_head.lora_a is trained."
    )


def test_learned_positions_come_in_few_sizes() -> None:
    sizes = set()
    for number in range(1, 2049):
        mask = np.zeros((4, 1024), np.bool_)
        mask.flat[:number] = True
        at, counted = learned_positions(mask)
        assert list(at[:number]) == list(range(number)) and counted.sum() == number
        assert len(at) <= max(number + 31, number * 1.125)
        sizes.add(len(at))
    assert len(sizes) < 60
