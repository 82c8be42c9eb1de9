"""From token counts to what is worth knowing: a histogram, and what a length limit would cut."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from backend.catalog.dataset_schemas import LengthBin, LineProblem, TokenLengths

FAILED = 0xFFFFFFFF
SHOWN_LINES = 8
MOST_BINS = 32
_WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536, 262144)


@dataclass(frozen=True, slots=True)
class Measured:
    """Of each measured row: tokens, the first one that is learned when prompts are masked, line."""

    lengths: Sequence[int]
    starts: Sequence[int]
    lines: Sequence[int]
    refused: int = 0
    first_refused: LineProblem | None = None


def unpack(raw: bytes, *, first_refused: LineProblem | None = None) -> Measured:
    """What the child wrote: three 32-bit numbers a row."""
    numbers = array("I")
    numbers.frombytes(raw)
    rows = [
        (numbers[at], numbers[at + 1], numbers[at + 2])
        for at in range(0, len(numbers), 3)
        if numbers[at] != FAILED
    ]
    lengths, starts, lines = ([row[column] for row in rows] for column in range(3))
    refused = len(numbers) // 3 - len(rows)
    return Measured(lengths, starts, lines, refused, first_refused)


def summarise(
    measured: Measured, *, model: str, rows: int, limit: int | None = None
) -> TokenLengths | None:
    """None when no row could be measured. `rows` is how many the file has in all."""
    count = len(measured.lengths)
    if count == 0:
        return None
    seen = count + measured.refused
    scale = rows / seen if seen < rows else 1.0
    ordered = sorted(measured.lengths)
    total = sum(ordered)
    found = TokenLengths(
        model=model,
        rows=rows,
        measured=seen,
        sampled=seen < rows,
        total_tokens=round(total * scale),
        shortest=ordered[0],
        mean=total / count,
        median=ordered[(count - 1) // 2],
        p95=ordered[min(count - 1, int(count * 0.95))],
        longest=ordered[-1],
        bins=_bins(ordered, limit, scale),
        refused_rows=round(measured.refused * scale),
        first_refused=measured.first_refused,
    )
    return found if limit is None else _limited(found, measured, limit, scale)


def _limited(found: TokenLengths, measured: Measured, limit: int, scale: float) -> TokenLengths:
    over = [length - limit for length in measured.lengths if length > limit]
    # The first token is never a target: nothing comes before it.
    empty = [
        line
        for length, start, line in zip(
            measured.lengths, measured.starts, measured.lines, strict=True
        )
        if min(length, limit) <= max(start, 1)
    ]
    return found.model_copy(
        update={
            "max_seq_length": limit,
            "truncated_rows": round(len(over) * scale),
            "truncated_share": len(over) / len(measured.lengths),
            "cut_tokens": round(sum(over) * scale),
            "without_target": round(len(empty) * scale),
            "without_target_lines": sorted(empty)[:SHOWN_LINES],
        }
    )


def _bins(ordered: Sequence[int], limit: int | None, scale: float) -> list[LengthBin]:
    """Equal bins that show the limit too; a few very long rows share the last one."""
    longest = ordered[-1]
    most = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    if limit is not None and limit < longest * 2:
        most = max(most, min(limit, longest) + 1)
    width = next((width for width in _WIDTHS if most < width * MOST_BINS), _WIDTHS[-1])
    first = ordered[0] // width * width
    bins = []
    at = 0
    for start in range(first, most + 1, width):
        end = start + width
        last = end > most
        to = len(ordered) if last else bisect_right(ordered, end - 1)
        bins.append(
            LengthBin(
                start=start,
                end=max(end, longest + 1) if last else end,
                rows=round((to - at) * scale),
            )
        )
        at = to
    return bins
