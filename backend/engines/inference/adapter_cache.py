"""Adapters' weights, kept in memory for the next swap, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any, cast

import mlx.core as mx

from backend.contract.inference_frames import AdapterSpec
from backend.engines.inference.adapter_swap import Adapter
from backend.engines.inference.protocol import QuestionRefused


class Shelf:
    """Reads adapters and keeps the most recently used ones, `budget` bytes of them in all.

    The one in use stays whatever its size; a `key` changes with the file, so a newer checkpoint
    under an old name is read again.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[str, Adapter] = OrderedDict()

    def take(self, spec: AdapterSpec) -> Adapter:
        """The adapter of a spec, from memory or its file. Raises Refused."""
        key = spec["key"]
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        adapter = load_adapter(spec)
        if adapter.kind == "full":  # It becomes the base itself: nothing to keep.
            return adapter
        self._kept[key] = adapter
        while self.nbytes > self._budget and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return adapter

    def clear(self) -> None:
        self._kept.clear()

    @property
    def nbytes(self) -> int:
        return sum(adapter.nbytes for adapter in self._kept.values())

    @property
    def names(self) -> list[str]:
        return [adapter.name for adapter in self._kept.values()]


def load_adapter(spec: AdapterSpec) -> Adapter:
    """The weights of an adapter file, under the names of the engine. Raises Refused."""
    path = Path(spec["file"])
    if not path.is_file():
        raise QuestionRefused(
            "bad_adapter",
            f"The adapter {spec['name']} can't be read: {path} is not there any more.",
            "Was it moved or deleted? Choose another adapter, or another checkpoint of it.",
        )
    try:
        weights = cast("dict[str, mx.array]", mx.load(str(path)))
        renamed = _rename(weights, spec.get("names"))
        mx.eval(renamed)  # Now, not lazily: the file may be replaced while it is in use.
    except (RuntimeError, ValueError, OSError) as problem:
        raise QuestionRefused(
            "bad_adapter",
            f"The adapter {spec['name']} can't be read: {path.name} is damaged or not whole "
            f"({' '.join(str(problem).split())[:300]}).",
            "Choose another checkpoint of it, or train it again.",
        ) from problem
    if lost := _not_finite(renamed):
        raise QuestionRefused(
            "bad_adapter",
            f"The adapter {spec['name']} holds NaN or infinity in {len(lost)} of {len(renamed)} "
            f"tensors, {lost[0]} for one: its training has diverged.",
            "Choose an earlier checkpoint, or train again with a lower learning rate.",
        )
    return Adapter(
        key=spec["key"],
        name=spec["name"],
        kind=spec["kind"],
        weights=renamed,
        scale=float(spec["scale"]),
        scales=spec.get("scales") or {},
        loose=spec.get("names") is not None,
    )


def _rename(weights: dict[str, mx.array], names: dict[str, Any] | None) -> dict[str, mx.array]:
    """Under the engine's names; those of another framework are also turned over."""
    if names is None:
        return weights
    return {
        new: mx.contiguous(weights[old].T) if turned else weights[old]
        for old, (new, turned) in names.items()
    }


def _not_finite(weights: dict[str, mx.array]) -> list[str]:
    """The names of those that hold NaN or infinity.

    Looked for by their sums first, which is five times faster: a sum is finite only if all its
    parts are. One that only overflowed is cleared by looking at each part.
    """
    sums = mx.stack([mx.sum(value).astype(mx.float32) for value in weights.values()])
    good = cast("list[bool]", mx.isfinite(sums).tolist())
    suspects = [name for name, fine in zip(weights, good, strict=True) if not fine]
    return [name for name in suspects if not mx.all(mx.isfinite(weights[name])).item()]
