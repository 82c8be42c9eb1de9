"""From what each row scored to what is shown: means with intervals, and base against adapter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from backend.contract.jobs.evaluation import (
    METRICS_OF_ANSWERS,
    Better,
    Estimate,
    GivenAnswer,
    MetricId,
    MetricResult,
    TaskResult,
)
from backend.contract.thoughts import AnswerParts, split_thoughts
from backend.engines.evaluate.bootstrap import (
    difference_of,
    difference_of_ratios,
    mean_of,
    ratio_of,
)
from backend.engines.evaluate.metrics import METRICS

Side = Sequence[GivenAnswer]  # One target's answers, row by row.

LOSS: Final = "loss"
PERPLEXITY: Final = "perplexity"

_TOKEN_METRICS: tuple[tuple[MetricId, str, str, str], ...] = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """One metric of one lm-eval task for one target."""

    task: str
    metric: str
    filter: str
    better: Better
    value: float | None
    stderr: float | None
    rows: int | None
    version: str | None


def answer_to(
    text: str | None = None,
    *,
    loss: float | None = None,
    tokens: int | None = None,
    problem: str | None = None,
) -> GivenAnswer:
    """One target's answer to one question, of which the rest is not known yet."""
    answer = GivenAnswer(
        text=None,
        finish_reason=None,
        completion_tokens=None,
        loss=loss,
        tokens=tokens,
        problem=problem,
        metrics={},
    )
    if text is not None:
        set_text(answer, text, split_thoughts(text))
    return answer


def set_text(row: GivenAnswer, text: str, parts: AnswerParts) -> None:
    """What the model wrote, and its thoughts set apart."""
    row.text, row.thoughts, row.answer = text, parts.thoughts, parts.answer


def score_answer(row: GivenAnswer, expected: str | None, selection: Sequence[str]) -> None:
    """Fill in the metrics of an answer that was given to a question."""
    if row.answer is None:
        return
    row.metrics = {
        metric.id: metric.measure(row.answer, expected or "")
        for metric in METRICS
        if metric.id in selection and (expected is not None or metric.id in METRICS_OF_ANSWERS)
    }


def summarise(sides: Sequence[Side], selection: Sequence[str]) -> list[MetricResult]:
    """Per metric: one estimate per side, and the paired difference of the second to the first.

    A difference is given for two sides only. What no row could be measured on is null.
    """
    return [*_token_metrics(sides, selection), *_text_metrics(sides, selection)]


def side_by_side(sides: Sequence[Sequence[TaskScore]]) -> list[TaskResult]:
    """The scores of the same tasks by every side, as one line each."""
    return [
        TaskResult(
            task=line[0].task,
            metric=line[0].metric,
            filter=line[0].filter,
            better=line[0].better,
            values=tuple(one.value for one in line),
            stderrs=tuple(one.stderr for one in line),
            rows=line[0].rows,
            version=line[0].version,
        )
        for line in zip(*sides, strict=True)
    ]


def _text_metrics(sides: Sequence[Side], selection: Sequence[str]) -> list[MetricResult]:
    metrics = []
    for metric in METRICS:
        if metric.id not in selection:
            continue
        values = [[row.metrics.get(metric.id) for row in side] for side in sides]
        metrics.append(
            MetricResult(
                id=metric.id,
                name=metric.name,
                help=metric.help,
                source=metric.source,
                better=metric.better,
                values=tuple(mean_of(side) for side in values),
                difference=difference_of(*values) if len(values) == 2 else None,
                ratio=None,
            )
        )
    return metrics


def _token_metrics(sides: Sequence[Side], selection: Sequence[str]) -> list[MetricResult]:
    # Only rows that every side could be measured on, so that the sides are of the same text.
    rows_scored = [
        at
        for at in range(len(sides[0]) if sides else 0)
        if all(side[at].loss is not None and side[at].tokens for side in sides)
    ]
    pairs = [
        ([side[at].loss or 0.0 for at in rows_scored], [side[at].tokens or 0 for at in rows_scored])
        for side in sides
    ]
    losses = [ratio_of(*pair) for pair in pairs]
    difference = difference_of_ratios(*pairs) if len(pairs) == 2 else None
    metrics = []
    for kind, name, text, source in _TOKEN_METRICS:
        if kind not in selection:
            continue
        # The ratio of two perplexities is e to the difference of the losses.
        exponential = kind == PERPLEXITY
        metrics.append(
            MetricResult(
                id=kind,
                name=name,
                help=text,
                source=source,
                better="lower",
                values=tuple(_through(math.exp, loss) if exponential else loss for loss in losses),
                difference=None if exponential else difference,
                ratio=_through(math.exp, difference) if exponential else None,
            )
        )
    return metrics


def _through(function: Callable[[float], float], estimate: Estimate | None) -> Estimate | None:
    """An increasing function of an estimate: its bounds are the function of the bounds."""
    if estimate is None:
        return None
    try:
        mean = function(estimate.mean)
        low = None if estimate.low is None else function(estimate.low)
        high = None if estimate.high is None else function(estimate.high)
    except OverflowError:
        return None
    return Estimate(mean=mean, low=low, high=high, rows=estimate.rows)
