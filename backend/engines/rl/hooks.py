"""Ways into mlx_lm_lora: what must be set right before it is imported, and names to replace in it.

Its trainers take few hooks as parameters. The rest are looked up in their modules at each call, so
for the time of a run we put ours there. Import this before any trainer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import mlx.core as mx

_WORKING_SET = "max_recommended_working_set_size"


def allow_cpu() -> None:
    """Without this most trainers fail with a KeyError where there is no GPU: they ask the device
    for the memory it recommends, which only Metal and CUDA tell.
    """
    ask = mx.device_info
    if _WORKING_SET in ask():
        return

    def answer(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {_WORKING_SET: 1 << 62, **ask(*args, **kwargs)}

    mx.device_info = answer


@contextmanager
def replace_attribute(names: Mapping[tuple[ModuleType, str], Any]) -> Iterator[None]:
    """Put values in the place of names of modules, and put the old ones back afterwards."""
    before = {place: getattr(*place) for place in names}
    try:
        for (module, name), value in names.items():
            setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


class SilentBar:
    """What the engine's modules call `tqdm`: it counts, and neither draws nor writes."""

    def __init__(self, iterable: Iterable[Any] = (), *_: Any, **__: Any) -> None:
        self._iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def set_postfix(self, *_: Any, **__: Any) -> None:
        """Beside the bar."""

    def update(self, *_: Any) -> None:
        """By hand."""

    def close(self) -> None:
        """At the end."""

    @staticmethod
    def write(*_: Any, **__: Any) -> None:
        """Above the bar."""


allow_cpu()
