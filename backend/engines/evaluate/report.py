"""An evaluation as a page of Markdown: what was asked of whom, the scores, the telling rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.contract.jobs.evaluation import (
    Better,
    Estimate,
    EvaluationMeasurements,
    EvaluationRequest,
    JudgeScores,
    MetricResult,
    QuestionResult,
)
from backend.contract.record import write_record
from backend.engines.evaluate.judge_prompts import SCORES

UNKNOWN = "—"
_SHOWN_ROWS = 5
_SHOWN_PROMPTS = 50
_LONGEST = 600


def report_of(request: EvaluationRequest, result: EvaluationMeasurements) -> str:
    """The whole page, ending in a line break."""
    labels = [target.label for target in result.targets]
    seen_rows = sum(question.seen for question in result.questions)
    parts = [
        f"# Evaluation of {request.adapter_name}",
        _facts(request, result, seen_rows),
        "## Scores",
        _scores(result.metrics, labels),
        "Means over rows, with the 95 % interval of a percentile bootstrap. A difference is taken "
        "row by row, so it can be sure where the two intervals overlap.",
        *_tasks(result, labels),
        *_judge_lines(result, labels),
        *_telling(result, labels),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(request: EvaluationRequest, result: EvaluationMeasurements, seen_rows: int) -> str:
    sampling = request.sampling
    rows = f"Rows: {result.rows} of {request.training_data_path}; "
    if request.prompt_set is not None:
        rows = f"Prompts: {result.rows} of “{request.prompt_set}”, without expected answers"
    marked = (
        f"{seen_rows} of them were trained on, and are marked"
        if request.compared
        else "whether any was trained on is not known"
    )
    facts = [
        f"Base model: {request.model}",
        rows if request.prompt_set is not None else rows + marked,
        f"Answers: at most {sampling.max_tokens} tokens, temperature "
        f"{sampling.temperature:g}, seed {sampling.seed}",
        f"Started: {request.started}",
        *request.warnings,
    ]
    return "\n".join(f"- {fact}" for fact in facts)


def _scores(metrics: Sequence[MetricResult], labels: Sequence[str]) -> str:
    compared = len(labels) == 2
    head = ["", *labels, *(["difference"] if compared else []), "rows"]
    lines = [_line(head), _line(["---"] * len(head))]
    for metric in metrics:
        rows = next((value.rows for value in metric.values if value), 0)
        change = f"× {_estimate(metric.ratio)}" if metric.ratio else None
        more = [change or _estimate(metric.difference, sign=True)] if compared else []
        values = [_estimate(value) for value in metric.values]
        lines.append(_line([_target_name(metric.name, metric.better), *values, *more, str(rows)]))
    return "\n".join(lines)


def _tasks(result: EvaluationMeasurements, labels: Sequence[str]) -> list[str]:
    lines = [
        _line([
            _target_name(f"{one.task}: {one.metric}", one.better),
            one.filter,
            *(_task_score(*pair) for pair in zip(one.values, one.stderrs, strict=True)),
            str(one.rows or UNKNOWN),
        ])
        for one in result.tasks
    ]  # fmt: skip
    if not lines:
        return []
    head = ["", "filter", *labels, "rows"]
    table = "\n".join([_line(head), _line(["---"] * len(head)), *lines])
    return ["## Tasks", table, "By lm-eval through mlx_lm, with the standard error it gives."]


def _task_score(value: float | None, stderr: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.3g}" + (f" ± {stderr:.2g}" if stderr is not None else "")


def _judge_lines(result: EvaluationMeasurements, labels: Sequence[str]) -> list[str]:
    judge = result.judge
    if judge is None:
        return []
    judge_scores = [result.base_model_scores, result.scores][-len(labels) :]
    sides = [write_record(scores or JudgeScores()) for scores in judge_scores]
    head = ["of 100", *labels]
    rows = [
        _line([name.replace("_", " "), *(_score(side[name]) for side in sides)])
        for name in ("overall", *SCORES)
    ]
    lines = [f"Judge: {judge.model}. {judge.failed} of {judge.asked} calls failed."]
    if judge.problems:
        lines.append(f"First failures: {'; '.join(judge.problems)}.")
    if (swaps := judge.swaps) and swaps.asked:
        lines.append(
            f"Of {swaps.asked} pairs shown in both orders, {swaps.consistent} got the same "
            f"verdict twice: base {swaps.base_wins}, adapter {swaps.adapter_wins}, ties "
            f"{swaps.ties}. Whichever stood first won {swaps.first_wins} of "
            f"{2 * swaps.asked} verdicts."
        )
    table = "\n".join([_line(head), _line(["---"] * len(head)), *rows])
    return ["## The judge's scores", table, " ".join(lines)]


def _score(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _target_name(name: str, better: Better) -> str:
    return name + {"higher": " ↑", "lower": " ↓", "neither": ""}[better]


def _telling(result: EvaluationMeasurements, labels: Sequence[str]) -> list[str]:
    """The rows with the lowest and the highest token F1 of the last target; of a prompt set the
    first ones, because nothing tells its answers apart.
    """
    if prompts := [one for one in result.questions if one.messages and one.expected is None]:
        return _rows("## Answers", prompts[:_SHOWN_PROMPTS], labels, word="Prompt")
    scored = [
        (score, question)
        for question in result.questions
        if (score := question.answers[-1].metrics.get("token_f1")) is not None
    ]
    if not scored:
        return []
    order = [question for _, question in sorted(scored, key=lambda pair: pair[0])]
    worst = order[:_SHOWN_ROWS]
    best = order[len(worst) :][::-1][:_SHOWN_ROWS]
    return [
        *_rows("## Furthest from the expected answer", worst, labels),
        *_rows("## Nearest to the expected answer", best, labels),
    ]


def _rows(
    title: str, questions: Sequence[QuestionResult], labels: Sequence[str], *, word: str = "Line"
) -> list[str]:
    if not questions:
        return []
    blocks = [title]
    for question in questions:
        question_text = question.messages[-1]["content"] if question.messages else UNKNOWN
        lines = [
            f"### {word} {question.line}{' (trained on)' if question.seen else ''}",
            _quote("Question", question_text),
            *([] if question.expected is None else [_quote("Expected", question.expected)]),
            *(
                _quote(label, answer.answer or answer.text or answer.problem)
                for label, answer in zip(labels, question.answers, strict=True)
            ),
        ]
        blocks.append("\n\n".join(lines))
    return blocks


def _quote(who: str, text: Any) -> str:
    quotation = str(text) if text is not None else UNKNOWN
    short = quotation if len(quotation) <= _LONGEST else quotation[:_LONGEST] + "…"
    # As code, so that what a model wrote can't become part of the page's own marks.
    fence = "```"
    while fence in short:
        fence += "`"
    return f"{who}:\n{fence}text\n{short}\n{fence}"


def _estimate(estimate: Estimate | None, *, sign: bool = False) -> str:
    if estimate is None:
        return UNKNOWN
    mean = f"{estimate.mean:+.3g}" if sign else f"{estimate.mean:.3g}"
    if estimate.low is None:
        return mean
    return f"{mean} ({estimate.low:.3g} to {estimate.high:.3g})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
