"""A line chart as SVG, for documents that are read without the app."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 28, 28
_COLOURS = ("#3b73d9", "#d97a1e", "#3f9c5a")


@dataclass(frozen=True, slots=True)
class Curve:
    """A name and its points (x, y), in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


def draw_chart(curves: Sequence[Curve]) -> str:
    """One `<svg>` of all the curves over common axes. At least one of them has a point."""
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    across, up = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))

    def place(x: float, y: float) -> str:
        left = _LEFT + (x - across[0]) / (across[-1] - across[0]) * (WIDTH - _LEFT - _RIGHT)
        down = (y - up[0]) / (up[-1] - up[0]) * (HEIGHT - _TOP - _BOTTOM)
        return f"{left:.1f},{HEIGHT - _BOTTOM - down:.1f}"

    parts = []
    for y in up:
        height = place(across[0], y).partition(",")[2]
        parts.append(
            f'<path d="M{_LEFT} {height}H{WIDTH - _RIGHT}" stroke="#8885"/>'
            f'<text x="{_LEFT - 8}" y="{height}" dy=".35em" text-anchor="end">{y:.6g}</text>'
        )
    for x in across:
        left = place(x, up[0]).partition(",")[0]
        parts.append(f'<text x="{left}" y="{HEIGHT - 8}" text-anchor="middle">{x:,.6g}</text>')
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(place(x, y) for x, y in curve.points)
        dot = place(*curve.points[-1]).split(",")
        key = _LEFT + number * 160
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<circle cx="{dot[0]}" cy="{dot[1]}" r="3" fill="{colour}"/>'
            f'<rect x="{key}" y="8" width="12" height="4" fill="{colour}"/>'
            f'<text x="{key + 18}" y="14">{escape(curve.name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#888">{"".join(parts)}</svg>'
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers, at most `most` and at least two, from at most `low` to at least `high`."""
    if not high > low:
        reach = abs(low) or 1.0
        low, high = low - reach / 2, high + reach / 2
    raw = (high - low) / (most - 2)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]
