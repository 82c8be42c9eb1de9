from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.tuner.utils import linear_to_lora_layers

from backend.engines.loss.output_head import NoOutputHead, OutputHead
from tests.engines.loss.families import FAMILIES, make

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_of_hidden_states_are_those_of_the_model(name: str) -> None:
    model = make(name)
    tokens = mx.random.randint(0, 96, (3, 7))
    logits = model(tokens)

    head = OutputHead(model, training=True)
    hidden = head.hidden(tokens).flatten(0, 1)

    assert head.vocabulary == 96
    some = mx.array([20, 3, 4, 3])
    assert mx.allclose(head(hidden[some]), logits.flatten(0, 1)[some], rtol=1e-5, atol=1e-5)
    assert mx.array_equal(model(tokens), logits)  # The model is whole again.


@pytest.mark.parametrize("key", ["lm_head", "model.embed_tokens"])
def test_a_head_or_embedding_that_is_trained_is_refused(key: str) -> None:
    model = make("llama")
    keys = ["self_attn.q_proj", key]
    linear_to_lora_layers(model, -1, {"rank": 2, "scale": 1.0, "dropout": 0.0, "keys": keys})
    with pytest.raises(NoOutputHead, match=f"{key}.lora_. is trained"):
        OutputHead(model, training=True)
    assert OutputHead(model, training=False).vocabulary == 96


def test_adapters_and_unfrozen_blocks_are_no_hindrance() -> None:
    model = make("llama")
    linear_to_lora_layers(model, 1, {"rank": 2, "scale": 1.0, "dropout": 0.0}, use_dora=True)
    model.layers[0].unfreeze()
    assert OutputHead(model, training=True).vocabulary == 96


def test_a_model_that_can_not_be_called_so_is_refused_with_what_it_says() -> None:
    model = make("llama")

    class Broken(type(model)):  # type: ignore[misc]
        def __call__(self, tokens: mx.array, cache: Any = None) -> Any:
            raise RuntimeError("only with pictures")

    model.__class__ = Broken
    with pytest.raises(NoOutputHead, match="only with pictures"):
        OutputHead(model, training=True)


def test_a_model_that_changes_logits_by_their_place_is_refused() -> None:
    model = make("llama")
    original = type(model).__call__

    class Placed(type(model)):  # type: ignore[misc]
        def __call__(self, tokens: mx.array, cache: Any = None) -> Any:
            logits = original(self, tokens, cache)
            return logits * (1 + mx.arange(logits.shape[1])[None, :, None])

    model.__class__ = Placed
    with pytest.raises(NoOutputHead, match="its logits differ from those of its head"):
        OutputHead(model, training=True)
