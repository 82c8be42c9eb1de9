"""Runs side by side: curves over one axis, numbers, the settings that differ."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.contract.run.folder import DATA
from backend.core.disk.files import JsonlTail
from backend.errors import FieldProblem, Invalid
from backend.jobs.run.legacy_records import to_metrics, to_summary
from backend.jobs.run.schemas import Series, SessionRecord
from backend.jobs.run.store import SessionStore
from backend.results.schemas import (
    Axis,
    BestResult,
    ComparedRun,
    Difference,
    HeldOut,
    Point,
    RunComparison,
    RunResources,
)

FEWEST, MOST = 2, 50
_X: dict[Axis, str] = {"step": "step", "tokens": "trained_tokens", "seconds": "elapsed_seconds"}
_AXES = frozenset({"step", "trained_tokens", "elapsed_seconds", "epoch", "val_time"})
# Of every run its own: they say nothing about why two differ.
_NAMES = frozenset({"adapter_name", "notes", "tags", "resume_from", "training_method"})


def compare(store: SessionStore, ids: Sequence[str], x: Axis, max_points: int) -> RunComparison:
    """The runs in the given order. Blocking.

    Raises Invalid for too few or too many, NotFound, or BadContent where a record is damaged.
    """
    distinct = list(dict.fromkeys(ids))
    if not FEWEST <= len(distinct) <= MOST:
        text = f"{FEWEST} to {MOST} different runs can be compared; {len(distinct)} was given."
        hint = "Give their ids with commas between them."
        raise Invalid(text, hint=hint, errors=[FieldProblem("ids", text)])
    records = [store.record(session_id) for session_id in distinct]
    return RunComparison(
        x=x,
        runs=[_run(store, record, x, max_points) for record in records],
        differences=differences(records),
        held_out=_held_out(store, records),
    )


def _run(store: SessionStore, record: SessionRecord, x: Axis, max_points: int) -> ComparedRun:
    raw = record.model_dump(mode="json")
    summary = to_summary(raw, record.session_id)
    metrics = to_metrics(record.metrics)
    best = record.best_model
    lora = record.lora
    return ComparedRun(
        session_id=record.session_id,
        name=summary.name or summary.adapter_name or record.session_id,
        state=record.state,
        method=summary.method or record.method,
        model_name=summary.model_name,
        series=curves(store.series(record.session_id, 0, max_points), x),
        final=metrics,
        best=BestResult(
            metric=best.metric if best else metrics.best_metric,
            value=best.value if best else metrics.best_value,
            val_loss=best.val_loss if best else metrics.best_val_loss,
            step=best.step if best else metrics.best_model_step,
        ),
        resources=RunResources(
            duration_seconds=summary.duration_seconds,
            tokens_per_second=metrics.tokens_per_second,
            peak_memory_gb=metrics.peak_memory_gb,
            adapter_bytes=store.adapter_bytes(record.session_id),
            trainable_parameters=metrics.trainable_parameters
            or (lora.trainable_parameters if lora else None),
        ),
    )


def curves(series: Series, x: Axis) -> dict[str, list[Point]]:
    """Each number over the axis, without those that a run never had.

    A validation stands where the last report before it was: a run counts tokens and time there.
    """
    train, validation = series.train, series.validation
    steps, at = train.get("step", []), train.get(_X[x], [])
    curves = _columns(train, at)
    places = [_place(step, steps, at, x) for step in validation.get("step", [])]
    return curves | _columns(validation, places)


def _columns(
    columns: Mapping[str, Sequence[float | None]], at: Sequence[float | None]
) -> dict[str, list[Point]]:
    return {
        name: [(place, value) for place, value in zip(at, values, strict=True) if place is not None]
        for name, values in columns.items()
        if name not in _AXES and any(value is not None for value in values)
    }


def _place(
    step: float | None, steps: Sequence[float | None], at: Sequence[float | None], x: Axis
) -> float | None:
    if x == "step" or step is None:
        return step
    before = bisect_right(steps, step, key=lambda known: known or 0)
    return at[before - 1] if before else 0.0


def differences(records: Sequence[SessionRecord]) -> list[Difference]:
    """The settings that are not the same in all runs; one that a run has not is null there."""
    configs = [record.config for record in records]
    fields = dict.fromkeys(field for config in configs for field in config if field not in _NAMES)
    rows: list[tuple[str, list[Any]]] = [("method", [record.method for record in records])]
    rows += [(field, [config.get(field) for config in configs]) for field in fields]
    return [
        Difference(field=field, values=values)
        for field, values in rows
        if any(value != values[0] for value in values)
    ]


def _held_out(store: SessionStore, records: Sequence[SessionRecord]) -> HeldOut:
    sets = [_validation_rows(store.folder(record.session_id)) for record in records]
    rows = [len(known) if known is not None else None for known in sets]
    known = [one for one in sets if one is not None]
    if len(known) < len(sets):
        text = "Whether the runs were validated on the same rows is not known."
        return HeldOut(same=None, rows=rows, common=None, message=text)
    common = len(frozenset.intersection(*known))
    if all(one == known[0] for one in known):
        text = f"All runs were validated on the same {common:,} held-out rows."
        return HeldOut(same=True, rows=rows, common=common, message=text)
    text = (
        f"The held-out rows differ: {common:,} are common to all runs. Validation losses can’t be "
        "compared directly; give each run the same validation file."
    )
    return HeldOut(same=False, rows=rows, common=common, message=text)


def _validation_rows(run: Path) -> frozenset[int] | None:
    """The rows that a run was validated on, by their content; None where it kept none."""
    file = run / DATA / "valid.jsonl"
    try:
        rows = JsonlTail(file, parse=lambda line: hash(line.strip()) or 1).read_all()
        return frozenset(rows) or None
    except OSError:
        return None
