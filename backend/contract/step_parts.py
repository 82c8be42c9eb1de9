"""The rows of one step in two parts of like length: less padding, and the step stays the same.

Batches that are themselves sorted by length train worse: each counts as much as any other, so that
the tokens of short rows weigh more than those of long ones, and the steps differ in kind. Here a
step is of the rows chance gave it, and its loss is the mean over all its learned tokens, however
they were padded. A part is a run of the model of its own, so there are no more than two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.contract.batching import PAD_TO, padded_width

_WORTH = 0.9  # Of the padded tokens of one part: for less than a tenth a step is left whole.


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows of the step, by their place in it, and how wide they are padded."""

    rows: tuple[int, ...]
    width: int

    @property
    def padded(self) -> int:
        return len(self.rows) * self.width


def in_parts(lengths: Sequence[int], max_seq_length: int) -> tuple[Part, ...]:
    """The step as it is, at the engine's own width, or short and long rows apart."""
    whole = Part(tuple(range(len(lengths))), padded_width(max(lengths), max_seq_length))
    order = sorted(whole.rows, key=lengths.__getitem__)
    best: tuple[Part, ...] = (whole,)
    least = whole.padded * _WORTH
    for at in _cuts(len(order)):
        pair = tuple(
            Part(tuple(rows), _coarse_width(lengths[rows[-1]], max_seq_length))
            for rows in (order[:at], order[at:])
        )
        padded = sum(part.padded for part in pair)
        if padded <= least:
            best, least = pair, padded
    return best


def _cuts(rows: int) -> list[int]:
    """After a quarter, a half and three quarters: every cut is a shape that is compiled."""
    return sorted({rows // 4, rows // 2, 3 * rows // 4} - {0})


def _coarse_width(longest: int, max_seq_length: int) -> int:
    """As `padded_width`, but above four times PAD_TO only two widths per doubling.

    Two parts have two widths, and every pair of widths is compiled.
    """
    units = -(-longest // PAD_TO)
    if units > 4:
        step = 1 << (units.bit_length() - 2)
        units = -(-units // step) * step
    return padded_width(units * PAD_TO, max_seq_length)
