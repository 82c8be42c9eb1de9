"""From token counts to what is worth knowing: a histogram, and what a length limit would cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.data.inspect.rendered import REFUSED, Note, Notes, RenderedFile
from backend.data.schemas import LengthBin, LineProblem, TokenLengths

SHOWN_LINES = 8
MOST_BINS = 32
_WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536, 262144)


@dataclass(frozen=True, slots=True)
class Measured:
    """Of each row that the template takes: tokens, the first that is learned when prompts are
    masked, line; and what was noted of all rows.
    """

    lengths: Sequence[int]
    starts: Sequence[int]
    lines: Sequence[int]
    refused: int = 0
    notes: Notes = field(default_factory=Notes)


def measured_rows(rendered: RenderedFile) -> Measured:
    """The rows of a file that the template takes."""
    taken = [at for at, bits in enumerate(rendered.bits) if not bits & REFUSED]
    lengths, starts, lines = (
        [column[at] for at in taken]
        for column in (rendered.lengths, rendered.starts, rendered.lines)
    )
    return Measured(lengths, starts, lines, len(rendered.bits) - len(taken), rendered.notes)


def summarise(
    measured: Measured, *, model: str, rows: int, limit: int | None = None
) -> TokenLengths | None:
    """None when no row could be measured. `rows` is how many the file has in all."""
    count = len(measured.lengths)
    if count == 0:
        return None
    seen = count + measured.refused
    scale = rows / seen if seen < rows else 1.0
    noted = measured.notes.notes
    refused, unlearnable = (_first(noted, name) for name in ("refused", "unlearnable"))
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
        first_refused=refused[0] if refused else None,
        refused=refused,
        unlearnable_rows=round(noted["unlearnable"].count * scale) if unlearnable else 0,
        unlearnable=unlearnable,
        omitted=measured.notes.omitted(rows, scale),
    )
    return found if limit is None else _limited(found, measured, limit, scale)


def _first(notes: Mapping[str, Note], name: str) -> list[LineProblem]:
    first = notes[name].first if name in notes else []
    return [LineProblem(line=one.line, message=f"Line {one.line}: {one.message}") for one in first]


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
