"""A proof: the rows that a new adapter or model is scored on, beside what it was made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSet:
    """Held-out rows of one adapter's data: they stand together, in this order, among all rows.

    `shared` names further adapters that hold out the very same rows. `seen` counts rows that one of
    them was trained on; null where that is not known.
    """

    name: str
    path: str
    rows: int
    seen: int | None
    shared: tuple[str, ...] = ()
