"""Which part of a step's rows a rank has: one of `size` processes that train one model together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Share:
    """The rank of this process among all; alone, it has every row."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank writes the events, the checkpoints and the adapter."""
        return self.rank == 0

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """This rank's rows; none where there are fewer rows than ranks."""
        return rows[self.rank :: self.size]


ALONE = Share()
