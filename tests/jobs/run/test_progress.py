"""Histories: lists of events in, what a page shows out."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.jobs.run.events import Event, parse_event
from backend.jobs.run.progress import Progress, append_row, thin, thin_series
from backend.jobs.run.schemas import Series

START = datetime(2026, 1, 1, tzinfo=UTC)


def told(*history: tuple[float, str, dict[str, Any]], total: int | None = 100) -> Progress:
    """A run's events as (seconds since its start, type, fields)."""
    progress = Progress(total_steps=total)
    for event in events_of(*history):
        progress.apply(event)
    return progress


def events_of(*history: tuple[float, str, dict[str, Any]]) -> list[Event]:
    events = []
    for seq, (second, kind, fields) in enumerate(history, start=1):
        at = (START + timedelta(seconds=second)).isoformat()
        event = parse_event({"seq": seq, "at": at, "type": kind, **fields})
        assert event is not None, (kind, fields)
        events.append(event)
    return events


def metrics(step: int, loss: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {"step": step, "train_loss": loss, **more}


def test_a_run_that_has_said_nothing_knows_nothing() -> None:
    latest = told().metrics().model_dump()
    assert latest.pop("total_steps") == 100
    assert set(latest.values()) == {None}, "unknown is null, never 0"


def test_the_latest_numbers_are_those_of_the_last_report() -> None:
    progress = told(
        (0, "phase", {"name": "loading model"}),
        (1, "model", {"trainable_parameters": 5, "total_parameters": 50, "matched_modules": 7}),
        (2, "phase", {"name": "training"}),
        (3, "validation", {"step": 0, "val_loss": 4.5, "val_time": 1.0}),
        (5, "metrics", metrics(10, 3.0, learning_rate=1e-4, trained_tokens=99)),
        (7, "metrics", metrics(20, 2.5, learning_rate=9e-5, epoch=0.5)),
    )
    latest = progress.metrics()
    assert (latest.current_step, latest.train_loss, latest.val_loss) == (20, 2.5, 4.5)
    assert (latest.learning_rate, latest.trained_tokens, latest.epoch) == (9e-5, 99, 0.5)
    assert (latest.trainable_parameters, latest.total_parameters) == (5, 50)
    assert latest.start_time == START
    assert latest.elapsed_seconds == 7
    assert progress.phase == "training"


def test_the_measure_of_the_test_set_is_among_the_numbers_of_the_end() -> None:
    latest = told(
        (0, "metrics", metrics(10, 2.0)),
        (5, "test", {"step": 10, "test_loss": 1.5, "test_perplexity": 4.48}),
        (6, "exit", {"state": "completed", "code": 0, "message": "Done."}),
    ).metrics()

    assert (latest.test_loss, latest.test_perplexity) == (1.5, 4.48)
    assert (latest.train_loss, latest.current_step) == (2.0, 10)
    assert told((0, "test", {"step": 1, "test_loss": None})).metrics().test_loss is None


def test_the_curves_keep_every_report_in_order() -> None:
    progress = told(
        (0, "metrics", metrics(1, 3.0)),
        (2, "validation", {"step": 1, "val_loss": 2.0, "val_time": 0.5}),
        (3, "metrics", metrics(2, 2.0, tokens_per_second=10.0)),
        (4, "checkpoint", {"step": 2, "path": "/a"}),
        (5, "best", {"step": 1, "val_loss": 2.0, "path": "/b"}),
    )
    series = progress.series()
    assert series.train["step"] == [1, 2]
    assert series.train["train_loss"] == [3.0, 2.0]
    assert series.train["tokens_per_second"] == [None, 10.0]
    assert series.train["elapsed_seconds"] == [0, 3]
    assert series.validation == {"step": [1], "val_loss": [2.0], "val_time": [0.5]}
    assert series.checkpoints == [2]
    assert series.best is not None
    assert series.best.step == progress.metrics().best_model_step == 1
    assert len({len(column) for column in series.train.values()}) == 1


def test_a_number_of_another_method_becomes_a_column_of_its_own() -> None:
    progress = told((0, "metrics", metrics(1)), (1, "metrics", metrics(2, avg_reward=0.5)))
    assert progress.series().train["avg_reward"] == [None, 0.5]


def test_a_number_that_is_not_finite_is_unknown_and_warned_of_once() -> None:
    """F26. Of a loss the run's health tells."""
    progress = told(
        (0, "metrics", metrics(1, 1.5, kl=0.1)),
        (1, "metrics", metrics(2, math.nan, kl=math.nan)),
        (2, "metrics", metrics(3, math.inf, kl=math.inf)),
    )
    assert progress.metrics().train_loss is None
    assert progress.series().train["train_loss"] == [1.5, None, None]
    assert progress.series().train["kl"] == [0.1, None, None]
    assert [alert.code for alert in progress.fresh_alerts()] == ["not_finite"]
    assert progress.fresh_alerts() == []


def test_a_fact_of_the_start_is_no_warning_in_the_run() -> None:
    fact = {"code": "validation_split", "message": "2 rows are held out.", "level": "info"}
    progress = told((0, "warning", fact), (1, "warning", {"code": "truncated", "message": "Cut."}))
    assert [(alert.level, alert.code) for alert in progress.alerts] == [
        ("info", "validation_split"),
        ("warning", "truncated"),
    ]


def test_the_remaining_time_follows_the_median_of_recent_speeds() -> None:
    history = [
        (step, "metrics", metrics(step, iterations_per_second=0.01 if step == 15 else 2.0))
        for step in range(1, 21)
    ]
    assert told(*history).metrics().estimated_time_remaining == 40


def test_there_is_no_remaining_time_without_a_speed_or_after_the_end() -> None:
    assert told((0, "metrics", metrics(1))).metrics().estimated_time_remaining is None
    progress = told(
        (0, "metrics", metrics(1, iterations_per_second=2.0)),
        (1, "exit", {"state": "completed", "code": 0, "message": "Done."}),
    )
    assert progress.metrics().estimated_time_remaining is None


def test_a_clock_set_back_does_not_make_time_run_backwards() -> None:
    """F31."""
    progress = told(
        (0, "metrics", metrics(1)), (10, "metrics", metrics(2)), (-86_400, "metrics", metrics(3)),
        (-86_395, "metrics", metrics(4, iterations_per_second=1.0)),
    )  # fmt: skip
    assert progress.metrics().elapsed_seconds == 15
    assert progress.series().train["elapsed_seconds"] == [0, 10, 10, 15]
    assert (progress.metrics().estimated_time_remaining or 0) >= 0


def test_an_event_that_was_seen_changes_nothing() -> None:
    progress = told((0, "metrics", metrics(1)), (1, "metrics", metrics(2)))
    again = parse_event({"seq": 2, "at": START, "type": "metrics", **metrics(2)})
    assert again is not None
    progress.apply(again)
    assert progress.series().train["step"] == [1, 2]


def test_early_stopping_is_told_with_the_best_step() -> None:
    progress = told((0, "early_stop", {"step": 60, "best_step": 40}))
    alert = progress.fresh_alerts()[0]
    assert (alert.level, alert.code) == ("info", "early_stop")
    assert "40" in alert.message


@pytest.mark.parametrize("raw", [None, 7, [], {}, {"type": "new"}, {"type": "metrics"}, "text"])
def test_what_is_no_known_event_is_skipped(raw: Any) -> None:
    assert parse_event(raw) is None


def test_thinning_keeps_every_spike_and_both_ends() -> None:
    losses: list[float | None] = [1.0] * 10_000
    losses[4321], losses[8765] = 99.0, -99.0
    columns = {"step": [float(n) for n in range(10_000)], "train_loss": losses}

    kept = thin(columns, 100, by="train_loss")  # type: ignore[arg-type]

    assert len(kept["step"]) <= 100
    assert {0.0, 4321.0, 8765.0, 9999.0} <= set(kept["step"])
    assert {99.0, -99.0} <= set(kept["train_loss"])
    assert kept["step"] == sorted(s for s in kept["step"] if s is not None)


@given(
    values=st.lists(st.none() | st.floats(-5, 5), max_size=300),
    max_points=st.integers(10, 50),
)
def test_thinned_columns_have_one_length_and_rows_that_were_there(
    values: list[float | None], max_points: int
) -> None:
    steps: list[float | None] = [float(n) for n in range(len(values))]
    kept = thin({"step": steps, "train_loss": values}, max_points, by="train_loss")
    assert len(kept["step"]) == len(kept["train_loss"]) <= max(max_points, 0)
    rows = set(zip(steps, values, strict=True))
    assert set(zip(kept["step"], kept["train_loss"], strict=True)) <= rows


def test_a_series_since_a_step_begins_there() -> None:
    series = Series(
        train={"step": [1, 2, 3], "train_loss": [3, 2, 1]},
        validation={"step": [0, 3], "val_loss": [9, 8]},
        checkpoints=[1, 3],
    )
    kept = thin_series(series, 100, since=2)
    assert kept.train["step"] == [2, 3]
    assert kept.validation["step"] == [3]
    assert kept.checkpoints == [3]


def test_a_new_column_is_unknown_for_the_rows_before() -> None:
    columns: dict[str, list[float | None]] = {"step": [1.0]}
    append_row(columns, {"step": 2.0, "kl": 0.1})
    assert columns == {"step": [1.0, 2.0], "kl": [None, 0.1]}
