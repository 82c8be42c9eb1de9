"""One line of a data file: its row, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `row` is its object, or None with `problem` saying what is wrong; a blank line has
    neither. `clean` is false where the engine, which is less patient, would fail or read it
    otherwise: blank lines, a byte order mark, carriage returns inside, any form but JSON lines,
    another spelling. `readings` says how it was understood; `columns` is then the row as written.
    """

    number: int
    row: dict[str, Any] | None
    problem: str | None
    raw: bytes
    clean: bool = True
    readings: tuple[str, ...] = ()
    columns: dict[str, Any] | None = None

    @property
    def written(self) -> dict[str, Any] | None:
        """The row under the names that the file gives its columns."""
        return self.columns if self.columns is not None else self.row
