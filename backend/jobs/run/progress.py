"""From events to numbers: a fold over a run's events, with no clock and no files of its own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from backend.core.limits import known_steps
from backend.jobs.run import events
from backend.jobs.run.reward_numbers import (
    SampleAnswers,
    SampleData,
    reward_columns,
    shown,
    shown_rewards,
    shown_scores,
    val_reward_columns,
)
from backend.jobs.run.schemas import Alert, BestModel, RunMetrics, Series

Columns = dict[str, list[float | None]]

TRAIN = (
    "step",
    "train_loss",
    "learning_rate",
    "iterations_per_second",
    "tokens_per_second",
    "trained_tokens",
    "peak_memory_gb",
    "epoch",
    "elapsed_seconds",
)
VALIDATION = ("step", "val_loss", "val_time")
MAX_ALERTS = 200
MAX_SAMPLES = 24  # The last few reports' worth; events.jsonl has them all.

_LOSSES = {"train_loss", "val_loss"}  # The run's health tells of these.
_NOT_NUMBERS = {"seq", "at", "rewards", "val_rewards", "details"}
_STAMP = {"seq", "at", "type"}
_WHOLE = {"step", "trained_tokens"}
_FLOATS = {field.name for field in fields(events.Metrics) if field.type == "float | None"}
_EXACT = 2**53
_RECENT = 9  # Reports whose median speed gives the remaining time.


class RunProgress:
    """What a run's events add up to so far. Feed it in order; read it at any time."""

    def __init__(self, *, total_steps: int | None = None) -> None:
        self.phase: str | None = None
        self.exit: events.Exit | None = None
        self.early_stop: events.EarlyStop | None = None
        self.best: BestModel | None = None
        self.alerts: deque[Alert] = deque(maxlen=MAX_ALERTS)
        self.newest_sample: SampleData | None = None
        self._completions: deque[SampleData] = deque(maxlen=MAX_SAMPLES)
        self._answers = SampleAnswers()
        self.checkpoints: list[int] = []
        self.train: Columns = {name: [] for name in TRAIN}
        self.validation: Columns = {name: [] for name in VALIDATION}
        self.last_seq = 0
        self._latest: dict[str, Any] = {"total_steps": known_steps(total_steps)}
        self._first_at: datetime | None = None
        self.last_at: datetime | None = None
        self._elapsed = 0.0
        self._speeds: deque[float] = deque(maxlen=_RECENT)
        self._warned: set[str] = set()
        self._fresh: list[Alert] = []

    def apply_report(self, raw: Mapping[str, Any]) -> bool:
        """Take in the JSON of a plain training report, as `apply` does with its event, but without
        making one: a long run has them by the hundred thousand. False for anything else.
        """
        seq, at, step = raw.get("seq"), raw.get("at"), raw.get("step")
        if raw.get("type") != "metrics" or type(seq) is not int or type(at) is not str:
            return False
        row: dict[str, float | None] = {}
        for name, value in raw.items():
            if name in _STAMP:
                continue
            kind = type(value)
            if kind is float and name not in _WHOLE and math.isfinite(value):
                row[name] = value
            elif kind is int and -_EXACT < value < _EXACT:
                row[name] = float(value) if name in _FLOATS else value
            elif value is None and name not in _NOT_NUMBERS and name != "step":
                row[name] = None
            else:
                return False
        if type(step) is not int or not row.keys().isdisjoint(_NOT_NUMBERS):
            return False
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return False
        if seq > self.last_seq:
            self.last_seq = seq
            self._tick(moment)
            self._take_row(row, step)
        return True

    def apply(self, event: events.Event) -> None:
        """Take in one event. One that was seen before (same or lower seq) changes nothing."""
        if event.seq <= self.last_seq:
            return
        self.last_seq = event.seq
        if isinstance(event, events.Resumed):
            self.last_at = event.at  # The time between the two runs is no time of training.
        self._tick(event.at)
        match event:
            case events.Phase():
                self.phase = event.name
            case events.Model():
                self._latest["trainable_parameters"] = event.trainable_parameters
                self._latest["total_parameters"] = event.total_parameters
            case events.Metrics():
                self._report(event)
            case events.Validation():
                self._validated(event)
            case events.Checkpoint():
                self.checkpoints.append(event.step)
            case events.Best():
                self._keep_best(event)
            case events.Warning(metric=metric, code=code) if (
                metric in _LOSSES or code == "diverged"
            ):
                pass
            case events.Warning():
                self.add_alert(
                    Alert(
                        level=event.level,
                        code=event.code,
                        message=event.message,
                        hint=event.hint,
                        at=event.at,
                    )
                )
            case events.EarlyStop():
                self.early_stop = event
                self._stopped_early(event)
            case events.Exit():
                self.exit = event
            case events.Sample():
                self._take_sample(event)
            case events.Tested():
                self._note(self._numbers(event))
            case events.Resumed():
                pass

    def fresh_alerts(self) -> list[Alert]:
        """The alerts since this was last asked."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def metrics(self) -> RunMetrics:
        """The latest numbers, with times counted from the run's own events."""
        names = RunMetrics.model_fields.keys() & self._latest.keys()
        latest = RunMetrics.model_construct(**{name: self._latest[name] for name in names})
        latest.start_time = self._first_at
        latest.elapsed_seconds = round(self._elapsed, 3) if self._first_at else None
        latest.estimated_time_remaining = self._remaining()
        return latest

    @property
    def speed(self) -> float | None:
        """Iterations per second: the median of the last reports."""
        return median(self._speeds) if self._speeds else None

    def series(self) -> Series:
        """All points so far, as columns that the caller may keep."""
        return Series.model_construct(
            train={name: list(values) for name, values in self.train.items()},
            validation={name: list(values) for name, values in self.validation.items()},
            checkpoints=list(self.checkpoints),
            best=self.best,
        )

    def curve(self, points: int) -> list[float | None]:
        """The training loss, or the reward where there is one, in at most so many points."""
        values = self.train.get("avg_reward") or self.train["train_loss"]
        last = len(values) - 1
        if last < points:
            return list(values)
        return [values[round(point * last / (points - 1))] for point in range(points)]

    @property
    def samples(self) -> list[SampleData]:
        """The last completions of rows, then the answers to the sample prompts, oldest first."""
        return [*self._completions, *self._answers.all()]

    def _tick(self, at: datetime) -> None:
        if self._first_at is None:
            self._first_at = at
        if self.last_at is not None:
            # A clock set back must not make time run backwards.
            self._elapsed += max(timedelta(0), at - self.last_at).total_seconds()
        self.last_at = at

    def _report(self, event: events.Metrics) -> None:
        row = self._row(event) | reward_columns(event.rewards)
        row = {name: self._number(name, value, event) for name, value in row.items()}
        self._take_row(row, event.step)
        if event.rewards is not None:
            self._latest["rewards"] = shown_rewards(event.rewards)

    def _take_row(self, row: dict[str, float | None], step: int) -> None:
        append_row(self.train, row | {"elapsed_seconds": self._elapsed})
        self._note(row)
        self._latest["current_step"] = step
        speed = row.get("iterations_per_second")
        if speed is not None and speed > 0:
            self._speeds.append(speed)

    def _validated(self, event: events.Validation) -> None:
        row = self._row(event) | val_reward_columns(event.val_rewards)
        row = {name: self._number(name, value, event) for name, value in row.items()}
        append_row(self.validation, row)
        self._note(row)
        if event.val_rewards is not None:
            self._latest["val_rewards"] = shown_scores(event.val_rewards)
        self._latest["current_step"] = max(self._latest.get("current_step") or 0, event.step)

    def _keep_best(self, event: events.Best) -> None:
        value = event.val_loss if event.value is None else event.value
        if value is None or not math.isfinite(value):
            return
        self.best = BestModel(
            step=event.step,
            path=event.path,
            val_loss=shown(event.val_loss),
            metric=event.metric,
            value=value,
        )
        self._latest["best_metric"], self._latest["best_value"] = event.metric, value
        self._latest["best_val_loss"] = value if event.metric == "val_loss" else None
        self._latest["best_model_step"] = event.step

    def _take_sample(self, event: events.Sample) -> None:
        self.newest_sample = sample = SampleData(
            step=event.step,
            prompt=event.prompt,
            text=event.text,
            answer=event.answer,
            rewards=None if event.rewards is None else shown_scores(event.rewards),
            total=shown(event.total),
            split=event.split,
        )
        if event.split == "prompt":
            self._answers.add(sample)
        else:
            self._completions.append(sample)

    def _numbers(self, event: events.Tested) -> dict[str, float | None]:
        row = self._row(event)
        return {name: self._number(name, value, event) for name, value in row.items()}

    @staticmethod
    def _row(event: events.Metrics | events.Validation | events.Tested) -> dict[str, Any]:
        """What the run said, without the numbers that its method does not have."""
        fields = event.set_fields()
        return {name: value for name, value in fields.items() if name not in _NOT_NUMBERS}

    def _note(self, row: Mapping[str, object]) -> None:
        """Make the row the latest numbers. A loss that became unknown is not the last good one."""
        self._latest.update(row)

    def _number(self, name: str, value: Any, event: events.Event) -> float | None:
        """A number as it may be shown: null for what is not finite, with one warning per name."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if math.isfinite(value):
            return value
        if name not in self._warned and name not in _LOSSES:
            self._warned.add(name)
            self._warn(
                "not_finite",
                f"{name} was {value}, which is not a number that can be shown; "
                "it is recorded as unknown.",
                "If it goes on, lower the learning rate.",
                event.at,
            )
        return None

    def _stopped_early(self, event: events.EarlyStop) -> None:
        best = "" if event.best_step is None else f" The best was at iteration {event.best_step}."
        message = f"Validation has stopped improving at iteration {event.step}.{best}"
        self.add_alert(Alert(level="info", code="early_stop", message=message, at=event.at))

    def _warn(self, code: str, message: str, hint: str | None, at: datetime) -> None:
        self.add_alert(Alert(level="warning", code=code, message=message, hint=hint, at=at))

    def add_alert(self, alert: Alert) -> None:
        """Keep an alert, unless the same was raised before."""
        code, message = alert.code, alert.message
        if not any(visits.code == code and visits.message == message for visits in self.alerts):
            self.alerts.append(alert)
            self._fresh.append(alert)

    def _remaining(self) -> float | None:
        """Seconds left at the median speed of the last reports; null until there is one."""
        if self.exit is not None:
            return None
        step, total = self._latest.get("current_step"), self._latest.get("total_steps")
        if self.speed is None or step is None or total is None:
            return None
        return round(float(max(0, total - step)) / self.speed, 1)


def append_row(columns: Columns, row: dict[str, float | None]) -> None:
    """Add a row. A new name becomes a column, unknown for the rows before, once it has a value."""
    length = len(columns["step"])
    for name, value in row.items():
        if value is not None and name not in columns:
            columns[name] = [None] * length
    for name, values in columns.items():
        values.append(row.get(name))


def newest_row(columns: Columns) -> dict[str, float | None]:
    return {name: values[-1] for name, values in columns.items()}


def thin_series(series: Series, max_points: int, *, since: int = 0) -> Series:
    """The series from step `since` on, with at most `max_points` rows in each table."""
    return Series.model_construct(
        train=_thinned(_since(series.train, since), max_points, "avg_reward", "train_loss"),
        validation=_thinned(_since(series.validation, since), max_points, "val_reward", "val_loss"),
        checkpoints=[step for step in series.checkpoints if step >= since],
        best=series.best,
    )


def _thinned(columns: Columns, max_points: int, reward: str, loss: str) -> Columns:
    return thin(columns, max_points, by=reward if reward in columns else loss)


def thin(columns: Columns, max_points: int, *, by: str) -> Columns:
    """Keep the lowest and the highest row of each bucket, so that no spike is thinned away."""
    count = len(columns.get("step", ()))
    if count <= max_points:
        return columns
    values = columns.get(by) or columns["step"]
    buckets = max(1, (max_points - 2) // 2)
    rows_to_keep = {0, count - 1}
    for bucket in range(buckets):
        rows = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        rows_to_keep.update(_extremes(values, rows))
    order = sorted(rows_to_keep)
    return {name: [column[row] for row in order] for name, column in columns.items()}


def _extremes(values: Sequence[float | None], rows: range) -> set[int]:
    points = [(value, row) for row in rows if (value := values[row]) is not None]
    return {min(points)[1], max(points)[1]} if points else {rows.start}


def _since(columns: Columns, since: int) -> Columns:
    if since <= 0 or not columns.get("step"):
        return columns
    rows = [row for row, step in enumerate(columns["step"]) if step is not None and step >= since]
    return {name: [column[row] for row in rows] for name, column in columns.items()}
