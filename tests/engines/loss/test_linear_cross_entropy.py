from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn

from backend.contract.loss_chunks import CHUNK_LOGITS, MIN_CHUNK_ROWS, chunk_rows
from backend.engines.loss.linear_cross_entropy import Head, linear_cross_entropy

pytestmark = pytest.mark.engine

ROWS, WIDTH, VOCABULARY = 70, 64, 300


def _heads() -> dict[str, Head]:
    mx.random.seed(3)
    tied = nn.Embedding(VOCABULARY, WIDTH)
    untied = nn.Linear(WIDTH, VOCABULARY, bias=True)
    return {
        "tied": tied.as_linear,
        "untied": untied,
        "tied, 4 bits": nn.QuantizedEmbedding.from_embedding(tied, 32, 4).as_linear,
        "untied, 8 bits": nn.QuantizedLinear.from_linear(untied, 32, 8),
        "soft cap": lambda hidden: mx.tanh(untied(hidden) / 3.0) * 3.0,
        "logit scale": lambda hidden: untied(hidden) * 0.25,
    }


def size(value: mx.array) -> float:
    return float(np.linalg.norm(np.array(value.astype(mx.float32))))


@pytest.mark.parametrize("rows", [16, 64, 1000])
@pytest.mark.parametrize("name", _heads())
def test_losses_and_gradients_are_those_of_all_logits_at_once(name: str, rows: int) -> None:
    head = _heads()[name]
    hidden = mx.random.normal((ROWS, WIDTH)) * 2
    targets = mx.random.randint(0, VOCABULARY, (ROWS,))
    weights = mx.random.normal((ROWS,))

    def chunked(hidden: mx.array) -> Any:
        losses = linear_cross_entropy(head, hidden, targets, rows=rows, gradient=True)
        return (losses * weights).sum()

    def whole(hidden: mx.array) -> Any:
        return (nn.losses.cross_entropy(head(hidden), targets) * weights).sum()

    value, gradient = mx.value_and_grad(chunked)(hidden)
    expected, wanted = mx.value_and_grad(whole)(hidden)
    assert mx.allclose(value, expected, rtol=1e-5, atol=1e-5)
    assert size(gradient - wanted) <= 1e-5 * size(wanted)
    seen = linear_cross_entropy(head, hidden, targets, rows=rows, gradient=False)
    assert mx.allclose(seen, nn.losses.cross_entropy(head(hidden), targets), rtol=1e-5, atol=1e-5)


def test_it_is_the_same_inside_a_compiled_step() -> None:
    head = _heads()["tied"]
    hidden = mx.random.normal((ROWS, WIDTH))
    targets = mx.random.randint(0, VOCABULARY, (ROWS,))

    def step(hidden: mx.array) -> Any:
        return mx.grad(
            lambda h: linear_cross_entropy(head, h, targets, rows=16, gradient=True).sum()
        )(hidden)

    assert mx.allclose(mx.compile(step)(hidden), step(hidden), atol=1e-6)


def test_with_weights_of_16_bits_it_is_no_less_exact_than_all_logits_at_once() -> None:
    weight = mx.random.normal((VOCABULARY, WIDTH)).astype(mx.bfloat16)
    hidden = mx.random.normal((ROWS, WIDTH)).astype(mx.bfloat16)
    targets = mx.random.randint(0, VOCABULARY, (ROWS,))

    def chunked(hidden: mx.array) -> Any:
        head: Head = lambda part: part @ weight.T  # noqa: E731
        return linear_cross_entropy(head, hidden, targets, rows=32, gradient=True).mean()

    def whole(hidden: mx.array) -> Any:
        return nn.losses.cross_entropy(hidden @ weight.T.astype(hidden.dtype), targets).mean()

    loss, gradient = mx.value_and_grad(chunked)(hidden)
    exact = mx.grad(whole)(hidden.astype(mx.float32))
    assert (loss.dtype, gradient.dtype) == (mx.float32, mx.bfloat16)
    assert size(gradient - exact) <= 1.05 * size(mx.grad(whole)(hidden) - exact)


def test_memory_is_that_of_a_few_chunks() -> None:
    """All logits are 32 MB here, and the plain loss holds several times as much."""
    rows, width, vocabulary = 512, 16, 16_384
    weight, hidden = mx.random.normal((vocabulary, width)), mx.random.normal((rows, width))
    targets = mx.random.randint(0, vocabulary, (rows,))
    mx.eval(weight, hidden, targets)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(
        mx.grad(
            lambda h: linear_cross_entropy(
                lambda x: x @ weight.T, h, targets, rows=16, gradient=True
            ).sum()
        )(hidden)
    )
    assert mx.get_peak_memory() - before < 16e6


@pytest.mark.parametrize(
    ("vocabulary", "rows"), [(1280, CHUNK_LOGITS // 1280), (152_064, MIN_CHUNK_ROWS)]
)
def test_a_small_vocabulary_goes_through_the_head_in_one_go(vocabulary: int, rows: int) -> None:
    assert chunk_rows(vocabulary) == rows
