"""From what each row scored to what is shown: means with intervals, and base against adapter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from backend.contract.thoughts import Marks, split_thoughts
from backend.engines.evaluate.bootstrap import (
    Estimate,
    difference_of,
    difference_of_ratios,
    mean_of,
    ratio_of,
)
from backend.engines.evaluate.metrics import METRICS

LOSS, PERPLEXITY = "loss", "perplexity"

_TOKEN_METRICS = (
    (
        LOSS,
        "Loss per token",
        "Mean negative log-likelihood of the expected answers' tokens, in nats. Prompts don't "
        "count.",
        "Cross-entropy of the model's own tokens; comparable between adapters of one base",
    ),
    (
        PERPLEXITY,
        "Perplexity",
        "How many tokens the model hesitates between, on average: e to the loss per token.",
        "exp(loss per token)",
    ),
)


@dataclass(slots=True, kw_only=True)
class Row:
    """One target's answer to one question. What could not be had is None, with a `problem`."""

    text: str | None = None  # The whole of it; metrics and judges take the answer in it.
    thoughts: str | None = None
    answer: str | None = None
    finish_reason: str | None = None
    completion_tokens: int | None = None
    loss: float | None = None
    tokens: int | None = None
    problem: str | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    judged: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.text is not None:
            self.set_text(self.text)

    def set_text(self, text: str, *, own: Sequence[Marks] = (), opened: str | None = None) -> None:
        """What the model wrote, its thoughts set apart as `contract/thoughts.py` does."""
        parts = split_thoughts(text, own=own, opened=opened)
        self.text, self.thoughts, self.answer = text, parts.thoughts, parts.answer


def score_answer(row: Row, expected: str | None, chosen: Sequence[str]) -> None:
    """Fill in the metrics of an answer that was given to a question."""
    if row.answer is None or expected is None:
        return
    row.metrics = {
        metric.id: metric.measure(row.answer, expected) for metric in METRICS if metric.id in chosen
    }


def summarise(sides: Sequence[Sequence[Row]], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """Per metric: one estimate per side, and the paired difference of the second to the first.

    A difference is given for two sides only. What no row could be measured on is null.
    """
    return [*_token_metrics(sides, chosen), *_text_metrics(sides, chosen)]


def side_by_side(sides: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The scores of the same tasks by every side, as one line each: `values` and `stderrs`."""
    shared = ("task", "metric", "filter", "better", "rows", "version")
    return [
        {
            **{name: line[0][name] for name in shared},
            "values": [one["value"] for one in line],
            "stderrs": [one["stderr"] for one in line],
        }
        for line in zip(*sides, strict=True)
    ]


def _text_metrics(sides: Sequence[Sequence[Row]], chosen: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for metric in METRICS:
        if metric.id not in chosen:
            continue
        values = [[row.metrics.get(metric.id) for row in side] for side in sides]
        found.append(
            _shown(
                {
                    "id": metric.id,
                    "name": metric.name,
                    "help": metric.help,
                    "source": metric.source,
                    "better": metric.better,
                },
                [mean_of(side) for side in values],
                difference_of(*values) if len(values) == 2 else None,
            )
        )
    return found


def _token_metrics(sides: Sequence[Sequence[Row]], chosen: Sequence[str]) -> list[dict[str, Any]]:
    # Only rows that every side could be measured on, so that the sides are of the same text.
    kept = [
        at
        for at in range(len(sides[0]) if sides else 0)
        if all(side[at].loss is not None and side[at].tokens for side in sides)
    ]
    pairs = [
        ([side[at].loss or 0.0 for at in kept], [side[at].tokens or 0 for at in kept])
        for side in sides
    ]
    losses = [ratio_of(*pair) for pair in pairs]
    difference = difference_of_ratios(*pairs) if len(pairs) == 2 else None
    found = []
    for kind, name, text, source in _TOKEN_METRICS:
        if kind not in chosen:
            continue
        facts = {"id": kind, "name": name, "help": text, "source": source, "better": "lower"}
        if kind == LOSS:
            found.append(_shown(facts, losses, difference))
        else:
            # The ratio of two perplexities is e to the difference of the losses.
            found.append(
                _shown(facts, [_through(math.exp, loss) for loss in losses], None)
                | {"ratio": _plain(_through(math.exp, difference))}
            )
    return found


def _through(function: Callable[[float], float], found: Estimate | None) -> Estimate | None:
    """An increasing function of an estimate: its bounds are the function of the bounds."""
    if found is None:
        return None
    try:
        mean = function(found.mean)
        low = None if found.low is None else function(found.low)
        high = None if found.high is None else function(found.high)
    except OverflowError:
        return None
    return Estimate(mean, low, high, found.rows)


def _shown(
    facts: Mapping[str, str], values: Sequence[Estimate | None], difference: Estimate | None
) -> dict[str, Any]:
    return {
        **facts,
        "values": [_plain(value) for value in values],
        "difference": _plain(difference),
        "ratio": None,
    }


def _plain(found: Estimate | None) -> dict[str, Any] | None:
    return asdict(found) if found is not None else None
