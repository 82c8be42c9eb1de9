"""Proofs: held-out rows of several adapters, scored together, and what became of each one's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from backend.contract.jobs.evaluation import Estimate as Interval
from backend.contract.jobs.evaluation import (
    EvaluationMeasurements,
    EvaluationRequest,
    EvaluationTarget,
    GivenAnswer,
    MetricId,
    write_request,
)
from backend.contract.jobs.proof import ProofSet
from backend.contract.record import BadRecord, read_record
from backend.contract.sampling import untruncated
from backend.core.disk.files import write_json
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.errors import AppError
from backend.evaluation.folder import write_rows
from backend.evaluation.rows import ChosenRows, choose_rows, held_out_file

FOLDER = "proof"
EXPORT_FOLDER = "proof_export"  # Of the model that an export wrote: another base, the same rows.
ROWS = 48  # Of all sets together.
_METRICS: tuple[MetricId, ...] = ("loss", "perplexity", "exact_match")
_MAX_TOKENS = 64
_LARGEST_RESULT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPlan:
    """What is scored: rows of each set in turn. Without rows, `unproven` says why."""

    rows: ChosenRows | None
    sets: tuple[ProofSet, ...]
    unproven: str | None
    warnings: tuple[str, ...] = ()


class SetLoss(BaseModel):
    """The loss per token on the held-out rows of one adapter's data; null where none was scored.

    `difference` is the loss of the last side minus this one, row by row: above 0 the last is worse.
    """

    name: str
    loss: float | None
    difference: Interval | None


class ProvenTarget(BaseModel):
    """One side of a proof. `changed` counts answers that are not those of the side that all are
    compared with: the base, or for an export the adapter.
    """

    label: str
    loss: Interval | None
    perplexity: Interval | None
    exact_match: Interval | None
    sets: list[SetLoss]
    answers: int
    changed: int


class Proof(BaseModel):
    """The sides in order, the base first, scored on the same rows."""

    rows: int
    sets: list[ProofSet]
    targets: list[ProvenTarget]


def plan_proof(
    data_path: str | None, data: Mapping[str, Path | None], *, rows: int = ROWS
) -> ProofPlan:
    """Choose the rows: of the file or folder that is `data_path`, else of what the run of each
    adapter in `data` held out. Raises NotFound or BadContent for a named one that can't be used.
    Blocking.
    """
    if data_path is not None:
        rows_of_set = choose_rows(data_path, count=rows, seed=0, data=None)
        return ProofPlan(
            rows=rows_of_set, sets=(_set("evaluation data", rows_of_set),), unproven=None
        )
    groups: list[tuple[tuple[str, ...], ChosenRows]] = []
    problems: list[str] = []
    share = math.ceil(rows / max(1, len(data)))
    for name, folder in data.items():
        try:
            rows_of_set = choose_rows(held_out_file(folder), count=share, seed=0, data=folder)
        except AppError as problem:
            problems.append(f"{name}: {problem.detail}")
            continue
        # Rows that count twice would make every interval narrower than it is.
        same = next(
            (at for at, (_, other) in enumerate(groups) if _same_rows(other, rows_of_set)), None
        )
        if same is None:
            groups.append(((name,), rows_of_set))
        else:
            names, other = groups[same]
            groups[same] = ((*names, name), _seen_by_either(other, rows_of_set))
    if not groups:
        return ProofPlan(rows=None, sets=(), unproven=" ".join(problems))
    return ProofPlan(
        rows=ChosenRows(
            path=groups[0][1].path,
            rows=tuple(row for _, group in groups for row in group.rows),
            available=sum(group.available for _, group in groups),
            skipped=sum(group.skipped for _, group in groups),
            compared=all(group.compared for _, group in groups),
        ),
        sets=tuple(_set(names[0], rows_of_set, names[1:]) for names, rows_of_set in groups),
        unproven=None,
        warnings=tuple(f"Not scored on rows of {problem}" for problem in problems),
    )


def write_proof(
    folder: Path,
    plan: ProofPlan,
    *,
    name: str,
    model: str,
    targets: Sequence[EvaluationTarget],
    place: str = FOLDER,
) -> None:
    """Write what the evaluation within a job reads, into a folder of it. Blocking."""
    if plan.rows is None:
        return
    inside = folder / place
    inside.mkdir()
    write_rows(inside, plan.rows)
    request = EvaluationRequest(
        adapter_name=name,
        model=model,
        targets=tuple(targets),
        metrics=_METRICS,
        sampling=untruncated(_MAX_TOKENS),
        training_data_path=str(plan.rows.path),
        num_questions=len(plan.rows.rows),
        rows_available=plan.rows.available,
        seen_rows=plan.rows.seen if plan.rows.compared else None,
        compared=plan.rows.compared,
        helper=True,
    )
    write_json(inside / "request.json", write_request(request))


def read_proof(
    folder: Path,
    sets: Sequence[ProofSet],
    *,
    places: Sequence[str] = (FOLDER,),
    reference: int = 0,
) -> Proof | None:
    """What a job's evaluations of the same rows measured; None if one of them is not there.
    Raises DamagedFile. Blocking.
    """
    measured: list[EvaluationMeasurements] = []
    for place in places:
        path = folder / place / "result.json"
        try:
            value = read_object(path, most=_LARGEST_RESULT)
            measured.append(read_record(EvaluationMeasurements, value))
        except FileNotFoundError:
            return None
        except BadRecord as problem:
            raise DamagedFile(f"{path} can't be read ({problem}).") from problem
    return summarise_proof(measured, sets, reference=reference)


@dataclass(frozen=True, slots=True)
class _Side:
    label: str
    metrics: Mapping[MetricId, Interval | None]
    answers: Sequence[GivenAnswer]


def summarise_proof(
    measured: Sequence[EvaluationMeasurements], sets: Sequence[ProofSet], *, reference: int = 0
) -> Proof:
    """Per side: the means with their intervals, each set's own loss, and how many answers are not
    those of the side at `reference`.
    """
    sides = [
        _Side(
            target.label,
            {metric.id: metric.values[at] for metric in one.metrics},
            [row.answers[at] for row in one.questions],
        )
        for one in measured
        for at, target in enumerate(one.targets)
    ]
    return Proof(
        rows=measured[0].rows,
        sets=list(sets),
        targets=[
            ProvenTarget(
                label=side.label,
                loss=side.metrics.get("loss"),
                perplexity=side.metrics.get("perplexity"),
                exact_match=side.metrics.get("exact_match"),
                sets=_set_losses(side.answers, sides[-1].answers, sets),
                answers=sum(answer.text is not None for answer in side.answers),
                changed=sum(
                    first.text != answer.text
                    for first, answer in zip(sides[reference].answers, side.answers, strict=True)
                    if first.text is not None and answer.text is not None
                ),
            )
            for side in sides
        ],
    )


def _set(name: str, rows: ChosenRows, shared: tuple[str, ...] = ()) -> ProofSet:
    rows_seen = rows.seen if rows.compared else None
    return ProofSet(
        name=name, path=str(rows.path), rows=len(rows.rows), seen=rows_seen, shared=shared
    )


def _same_rows(one: ChosenRows, other: ChosenRows) -> bool:
    return [row.row for row in one.rows] == [row.row for row in other.rows]


def _seen_by_either(one: ChosenRows, other: ChosenRows) -> ChosenRows:
    rows = (replace(a, seen=a.seen or b.seen) for a, b in zip(one.rows, other.rows, strict=True))
    return replace(one, rows=tuple(rows), compared=one.compared and other.compared)


def _set_losses(
    side: Sequence[GivenAnswer], last: Sequence[GivenAnswer], sets: Sequence[ProofSet]
) -> list[SetLoss]:
    losses: list[SetLoss] = []
    start = 0
    for one in sets:
        part = slice(start, start + one.rows)
        start += one.rows
        scored = [(row.loss, row.tokens) for row in side[part] if row.loss is not None]
        tokens = sum(count or 0 for _, count in scored)
        losses.append(
            SetLoss(
                name=one.name,
                loss=sum(loss for loss, _ in scored) / tokens if tokens else None,
                difference=loss_difference(side[part], last[part]),
            )
        )
    return losses


def loss_difference(first: Sequence[GivenAnswer], second: Sequence[GivenAnswer]) -> Interval | None:
    """The loss per token of the second minus that of the first, over the rows that both have.

    The 95 % interval is that of a ratio estimate (Cochran 1977, 6.4) with Student's t. A bootstrap
    of so few rows by each reading of a result would be slower, and no surer.
    """
    pairs = [
        (b.loss - a.loss, a.tokens)
        for a, b in zip(first, second, strict=True)
        if a.loss is not None and b.loss is not None and a.tokens
    ]
    if not pairs:
        return None
    rows, tokens = len(pairs), sum(count for _, count in pairs)
    mean = sum(difference for difference, _ in pairs) / tokens
    if rows < 2:
        return Interval(mean=mean, low=None, high=None, rows=rows)
    spread = sum((difference - mean * count) ** 2 for difference, count in pairs)
    error = math.sqrt(spread * rows / (rows - 1)) / tokens
    reach = _student_t(rows - 1) * error
    return Interval(mean=mean, low=mean - reach, high=mean + reach, rows=rows)


def _student_t(freedom: int) -> float:
    """The 97.5th percentile, from the normal one (Hill 1970); exact for one and two degrees."""
    if freedom <= 2:
        return (12.706, 4.303)[freedom - 1]
    z = 1.959964
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
