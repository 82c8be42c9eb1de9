"""A line chart as SVG, written by hand: a plotting library is not worth one picture. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 220, 20, 50
_COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#64748b", "#be185d")


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in the order of x, which must be above 0 where its axis is logarithmic."""

    label: str
    points: Sequence[tuple[float, float]]


def plot(
    curves: Sequence[Curve], *, x: str, y: str, linear: bool = False, form: str | None = None
) -> str:
    """The x axis is logarithmic unless it is to be `linear`; the y axis begins at 0.

    `form` is how numbers of the x axis are written: 0.25 or 0.00018 if nothing is said.
    """
    scale = float if linear else math.log10
    xs = [scale(point[0]) for curve in curves for point in curve.points]
    ys = [point[1] for curve in curves for point in curve.points]
    if not xs:
        return _svg([])
    low, high = min(xs), max(xs)
    bottom, top = 0.0, max(ys) * 1.05

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (scale(point[0]) - low) / ((high - low) or 1)
        up = (point[1] - bottom) / ((top - bottom) or 1)
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    marks = sorted({point[0] for curve in curves for point in curve.points})
    parts = _axes(marks, top, place, x, y, form or ("g" if linear else ".2g"))
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        spots = [place(point) for point in curve.points]
        line = " ".join(f"{left:.1f},{down:.1f}" for left, down in spots)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{left:.1f}" cy="{down:.1f}" r="3" fill="{colour}"/>'
            for left, down in spots
        ]
        row = _TOP + 12 + 20 * number
        side = _WIDTH - _RIGHT + 16
        parts.append(f'<rect x="{side}" y="{row - 8}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{side + 18}" y="{row}">{escape(curve.label)}</text>')
    return _svg(parts)


def _axes(
    marks: Sequence[float], top: float, place: object, x: str, y: str, form: str
) -> list[str]:
    assert callable(place)  # noqa: S101 - narrows the type
    parts = []
    digits = 1 if top > 2 else 2
    for step in range(5):
        value = top * step / 4
        _, down = place((marks[0], value))
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{down:.1f}" y2="{down:.1f}" '
            'stroke="#94a3b8" stroke-opacity="0.35"/>'
        )
        parts.append(
            f'<text x="{_LEFT - 8}" y="{down + 4:.1f}" text-anchor="end">{value:.{digits}f}</text>'
        )
    for mark in marks:
        left, down = place((mark, 0.0))
        parts.append(
            f'<text x="{left:.1f}" y="{down + 18:.1f}" text-anchor="middle">{mark:{form}}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>')
    parts.append(
        f'<text x="14" y="{_HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {_HEIGHT / 2})">{escape(y)}</text>'
    )
    return parts


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#475569">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
