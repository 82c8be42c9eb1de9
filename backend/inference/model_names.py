"""The names under which other programs ask: `base` or `base+adapter[@checkpoint]`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from backend.adapters.folder import Checkpoint
from backend.errors import NotFound
from backend.inference.schemas import AvailableModels

_NAMED: Mapping[str, Checkpoint] = {"best": "best", "latest": "latest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedName:
    model: str
    adapter: str | None = None
    checkpoint: Checkpoint | None = None


def parse_name(name: str, models: Collection[str]) -> ServedName:
    """Take a served name apart. `models` are the base names, which may hold a `+` themselves.

    Raises NotFound when what stands behind `@` is no checkpoint.
    """
    if name in models or "+" not in name:
        return ServedName(model=name)
    model, _, rest = name.rpartition("+")
    adapter, at, checkpoint_name = rest.partition("@")
    if not at:
        return ServedName(model=model, adapter=adapter)
    checkpoint = _NAMED.get(checkpoint_name)
    if checkpoint is not None:
        return ServedName(model=model, adapter=adapter, checkpoint=checkpoint)
    if checkpoint_name.isascii() and checkpoint_name.isdecimal() and len(checkpoint_name) <= 7:
        return ServedName(model=model, adapter=adapter, checkpoint=int(checkpoint_name))
    raise NotFound(
        f"{checkpoint_name!r} is no checkpoint of {adapter}.",
        hint="Use best, latest or a step's number.",
    )


def served_names(listed: AvailableModels) -> Iterator[str]:
    """Every name that answers: usable bases, and the usable adapters on them. An adapter that names
    no base answers on every base that it fits.
    """
    unsaid = [one for one in listed.unassigned if one.recorded_base is None]
    for model in listed.models:
        if model.problem is None:
            yield model.name
            for adapter in (*model.adapters, *(one for one in unsaid if model.name in one.fits)):
                if adapter.problem is None:
                    yield f"{model.name}+{adapter.name}"
