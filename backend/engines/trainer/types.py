"""What the trainers take: sets of rows, and which of them can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from backend.engines.process.token_types import Item


class Tokenised(Protocol):
    """Row → its tokens, and which of them are learned."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One set: the engine's dataset, the usable rows of it, and the rows as they were given."""

    dataset: Any
    rows: Sequence[int]
    given: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """The sets of a run. `valid` is None where there is none, or it is not to be looked at."""

    train: DataSet
    valid: DataSet | None
    test: DataSet | None

    def __iter__(self) -> Iterator[DataSet]:
        return (one for one in (self.train, self.valid, self.test) if one is not None)
