"""How the rows of one file were read where they are spelled in another way, counted for telling."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 200  # A file of garbage may have a role of its own in every row.
SHOWN = 8


class Readings:
    """The readings of many rows: how often each, and in which line first."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def add(self, line: int, readings: Iterable[str]) -> None:
        for reading in readings:
            count, first = self._seen.get(reading, (0, line))
            if count or len(self._seen) < MOST:
                self._seen[reading] = count + 1, first

    def sentences(self) -> tuple[str, ...]:
        """The most frequent ones first."""
        ordered = sorted(self._seen.items(), key=lambda item: -item[1][0])
        told = [sentence(text, count, first) for text, (count, first) in ordered[:SHOWN]]
        if len(ordered) > SHOWN:
            told.append(f"{len(ordered) - SHOWN} more such spellings are understood.")
        return tuple(told)


def sentence(reading: str, count: int, first: int) -> str:
    """One reading, with how many rows it is of."""
    where = f"line {first}" if count == 1 else f"{count} rows, the first in line {first}"
    return f"{reading[:1].upper()}{reading[1:]} ({where})."
