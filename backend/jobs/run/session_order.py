"""The order of the sessions in a list: by number as well as by time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.jobs.run.schemas import SessionSummary

OLDEST = datetime.fromtimestamp(0, UTC)
Stamp = tuple[int, int, int]  # Time of change in nanoseconds, size and inode of a file.


@dataclass(frozen=True, slots=True)
class Row:
    """A session of the list, the look of its file, and its place in the order of the sessions.

    `text` is what a search looks into, in lower case.
    """

    stamp: Stamp
    summary: SessionSummary
    number: int | None
    text: str = ""

    @property
    def at(self) -> datetime:
        return self.summary.timestamp or OLDEST


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Newest first: by number, and by time beside those that have none. A session is never older
    than one with a lower number, even if the clock went back between them.
    """
    keys: list[tuple[datetime, int, str, Row]] = []
    latest = OLDEST
    for row in sorted(rows, key=lambda row: row.number or 0):
        if row.number is not None:
            latest = max(latest, row.at)
        at = row.at if row.number is None else latest
        keys.append((at, row.number or 0, row.summary.session_id, row))
    return [key[-1] for key in sorted(keys, key=lambda key: key[:-1], reverse=True)]


def number_of(raw: Mapping[str, Any]) -> int | None:
    number = raw.get("number")
    return number if type(number) is int and 0 < number < 2**53 else None
