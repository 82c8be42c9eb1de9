"""Numbers as the text that Prometheus reads: its exposition format, version 0.0.4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric with its values, by their labels. A value of None is unknown and left out."""

    name: str
    help: str
    values: Iterable[tuple[Labels, float | None]] = field(default_factory=tuple)
    kind: Literal["gauge", "counter"] = "gauge"


def single(name: str, help_text: str, value: float | None) -> Measurement:
    """A metric with one value and no labels."""
    return Measurement(name, help_text, (({}, value),))


def exposition(measurements: Iterable[Measurement]) -> str:
    """All that are known, each with its help and its kind."""
    lines: list[str] = []
    for one in measurements:
        known = [(labels, value) for labels, value in one.values if value is not None]
        if not known:
            continue
        lines.append(f"# HELP {one.name} {_escape(one.help)}")
        lines.append(f"# TYPE {one.name} {one.kind}")
        lines += [f"{one.name}{_labels(labels)} {_number(value)}" for labels, value in known]
    return "\n".join([*lines, ""])


def _labels(labels: Labels) -> str:
    inner = ",".join(f'{name}="{_quote(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _quote(text: str) -> str:
    return _escape(text).replace('"', '\\"')


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
