"""The reference of a LoRA or DoRA run without a second copy of the weights: the adapters, off.

The engine loads the model twice for every method that compares with where it began. But a frozen
base under adapters is still there: calling its layers without their adapters is that reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.dora import DoRAEmbedding, DoRALinear
from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear, LoRASwitchLinear

_WRAPPED = {
    LoRALinear: "linear",
    LoRASwitchLinear: "linear",
    DoRALinear: "linear",
    LoRAEmbedding: "embedding",
    DoRAEmbedding: "embedding",
}


class AdapterOffReference:
    """Callable like the model it is made of, with the model's own base layers in place of adapters.

    The same operations on the same arrays as the base, so its logits are bit for bit those of the
    model before adapters were attached, and no gradient reaches an adapter. What it is asked for
    beside a call (`layers`, `make_cache`, …) is the model's. Its mode is the model's too: `eval`,
    `train` and `freeze` do nothing, so that a trainer which readies its reference does not change
    the policy. Calls must not overlap with other use of the model, which one thread guarantees.

    Raises ValueError when there is no adapter, or when weights outside the adapters are trained:
    then the base itself moves, and a reference needs its own copy.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._places = tuple(_places(model))
        if not self._places:
            raise ValueError("The model has no LoRA or DoRA layers: there is nothing to turn off.")
        loose = _trained_outside(model)
        if loose:
            raise ValueError(
                f"{len(loose)} tensors outside the adapters are trained, {loose[0]} first: the "
                "base would move with them, so the reference needs its own copy of the weights."
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._adapters_off():
            return self._model(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    @property
    def state(self) -> dict[str, Any]:
        """Empty: its arrays are in the model's state already."""
        return {}

    def eval(self) -> AdapterOffReference:
        return self

    def train(self, mode: bool = True) -> AdapterOffReference:
        return self

    def freeze(self, **_: Any) -> AdapterOffReference:
        return self

    @contextmanager
    def _adapters_off(self) -> Iterator[None]:
        try:
            for parent, name, _, base in self._places:
                parent[name] = base
            yield
        finally:
            for parent, name, adapter, _ in self._places:
                parent[name] = adapter


def _places(model: nn.Module) -> Iterator[tuple[Any, Any, nn.Module, nn.Module]]:
    """Where adapters sit: (the dict or list that holds it, its key, the adapter, its base)."""
    for module in model.modules():
        if type(module) not in _WRAPPED:
            yield from _modules_of(module)


def _modules_of(holder: Any) -> Iterator[tuple[Any, Any, nn.Module, nn.Module]]:
    """Of a module, also in the lists and dicts it holds, but not inside the modules in them."""
    for name, child in holder.items() if isinstance(holder, dict) else enumerate(holder):
        base = _WRAPPED.get(type(child))
        if base is not None:
            yield holder, name, child, child[base]
        elif isinstance(child, (list, dict)) and not isinstance(child, nn.Module):
            yield from _modules_of(child)


def _trained_outside(model: nn.Module) -> list[str]:
    adapters = {
        f"{path}.": _WRAPPED[type(module)]
        for path, module in model.named_modules()
        if type(module) in _WRAPPED
    }
    return [
        name
        for name, _ in tree_flatten(model.trainable_parameters())
        if not any(
            name.startswith(path) and not name.startswith(f"{path}{base}.")
            for path, base in adapters.items()
        )
    ]
