"""The output head of a language model: what stands between its last hidden states and its logits.

Architectures write it in many ways: tied to the embedding or not, quantised, capped (gemma2),
scaled (cohere, granite), inside a wrapper (gemma3). So it is not rebuilt here: the model's own call
is made with the part that holds the blocks replaced, once to see what that part answers, once to
answer with given hidden states. What that gives is compared with the model's logits before use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from backend.contract.loss_chunks import chunk_rows

_PROBE_WIDTH = 5
_TOLERANCE = 2e-2  # Of the largest logit: a head of 4 bits gives other sums for other shapes.


class NoOutputHead(ValueError):
    """The reason why the head of a model can't be used alone: it is trained, or its logits are not
    a function of one hidden state each. It reads on from "because".
    """


class OutputHead:
    """An output head. `vocabulary` is the number of its logits; `chunk_rows` of its rows go through
    it at once. Raises NoOutputHead where there is none that may be used so; where the model is
    trained, that includes one whose own weights are.
    """

    def __init__(self, model: nn.Module, *, training: bool) -> None:
        self._model = model
        self._owner, self._name, self._body = _find_body(model)
        trained = _trained_outside(model, model.layers) if training else None
        if trained:
            raise NoOutputHead(f"{trained} is trained")
        self.vocabulary = self._probe()
        self.chunk_rows = chunk_rows(self.vocabulary)

    def hidden(self, tokens: mx.array, model: Callable[..., Any] | None = None) -> mx.array:
        """The last hidden states of `tokens`, of shape (rows, width, size). `model` is another way
        to call the same model. Its logits are made too, but nobody evaluates them.
        """
        return self._forward(model or self._model, tokens)[0]

    def __call__(self, hidden: mx.array) -> mx.array:
        """The logits of hidden states (rows, size), of shape (rows, vocabulary)."""
        tokens = mx.zeros((1, hidden.shape[0]), mx.int32)
        with self._replaced(lambda *_, **__: hidden[None]):
            logits: mx.array = self._model(tokens)
        return logits.squeeze(0)

    @contextmanager
    def _replaced(self, body: Callable[..., Any]) -> Iterator[None]:
        try:
            self._owner[self._name] = _Body(self._body, body)
            yield
        finally:
            self._owner[self._name] = self._body

    def _forward(self, model: Callable[..., Any], tokens: mx.array) -> tuple[mx.array, mx.array]:
        """Hidden states and logits of one call: with dropout, two calls differ."""
        inputs: list[Any] = []

        def body(*args: Any, **kwargs: Any) -> Any:
            inputs.append(self._body(*args, **kwargs))
            return inputs[-1]

        with self._replaced(body):
            logits = model(tokens)
        if len(inputs) != 1 or not isinstance(inputs[0], mx.array):
            raise NoOutputHead("its blocks do not answer with one array of hidden states")
        return inputs[0], logits

    def _probe(self) -> int:
        """Compare with the model's own logits, each row for itself and in another order."""
        tokens = mx.arange(2 * _PROBE_WIDTH).reshape(2, _PROBE_WIDTH)
        try:
            hidden, logits = self._forward(self._model, tokens)
            if (*hidden.shape[:-1],) != tokens.shape or logits.ndim != 3:
                raise NoOutputHead("its hidden states are not one row for each token")
            reference = logits.flatten(0, 1)[::-1]
            own = self(hidden.flatten(0, 1)[::-1])
        except NoOutputHead:
            raise
        except Exception as problem:  # An architecture raises what it likes.
            raise NoOutputHead(f"its output head can't be called alone ({problem})") from problem
        if own.shape != reference.shape:
            raise NoOutputHead("its logits are not one row for each token")
        difference = float(mx.abs(own - reference).max())
        if not difference <= _TOLERANCE * float(mx.abs(reference).max()):
            raise NoOutputHead(f"its logits differ from those of its head by {difference:.2g}")
        return int(logits.shape[-1])


class _Body:
    """Called in the place of a module; everything else is asked of the module itself."""

    def __init__(self, module: nn.Module, call: Callable[..., Any]) -> None:
        self._module = module
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def __getitem__(self, name: str) -> Any:
        return self._module[name]

    def __contains__(self, name: str) -> bool:
        return name in self._module


def _find_body(model: nn.Module) -> tuple[nn.Module, str, nn.Module]:
    """The module that holds the blocks, its name, and who holds it."""
    blocks = getattr(model, "layers", None)
    if not blocks:
        raise NoOutputHead("its blocks were not found")
    first = blocks[0]
    for owner in model.modules():
        for name, child in owner.items():
            if isinstance(child, nn.Module) and any(
                isinstance(part, list) and part and part[0] is first for part in child.values()
            ):
                return owner, name, child
    raise NoOutputHead("the module that holds its blocks was not found")


def _trained_outside(model: nn.Module, blocks: Any) -> str | None:
    """The first parameter outside the blocks that is trained."""
    inside = {id(value) for block in blocks for _, value in tree_flatten(block.parameters())}
    for name, value in tree_flatten(model.trainable_parameters()):
        if id(value) not in inside:
            return str(name)
    return None
