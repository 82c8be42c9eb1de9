"""Records as they come from a disk: this version's, the reference app's, a newer one's, damaged.

Nothing here writes. What can't be read is described, so that it can be listed and left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from backend.core.disk.stored_files import DamagedFile, read_object
from backend.core.limits import known_steps
from backend.jobs.run.reward_numbers import Metric
from backend.jobs.run.schemas import RunMetrics, SessionChange, SessionRecord, SessionSummary
from backend.jobs.run.state import RunState

SCHEMA_VERSION = 1
CURVE_POINTS = 32  # Of the small picture in the list of sessions.
_STATES = frozenset(RunState)


class Damaged(DamagedFile):
    """The record's file is there but can't be read as one."""


def read_raw(path: Path) -> dict[str, Any]:
    """The record on disk, cleaned. Raises FileNotFoundError, or Damaged with a sentence."""
    try:
        return read_object(path)
    except DamagedFile as problem:
        raise Damaged(problem.detail) from problem


def is_legacy(raw: Mapping[str, Any]) -> bool:
    """From the reference app, which had no schema_version; marked once this app has written it."""
    return "schema_version" not in raw or raw.get("legacy") is True


def is_newer(raw: Mapping[str, Any]) -> bool:
    """From a later version of this app: shown, but never written back."""
    version = raw.get("schema_version")
    return isinstance(version, int) and version > SCHEMA_VERSION


def refuse_newer(raw: Mapping[str, Any], path: Path) -> None:
    """Raise Damaged for a record that a later version of this app wrote to `path`."""
    if is_newer(raw):
        raise Damaged(f"{path.name} was written by a newer version and is left alone.")


def merge_record(raw: Mapping[str, Any], record: SessionRecord) -> dict[str, Any]:
    """The record over what the file has besides: unknown fields stay, what the user says of a
    session (see `describe`), and the mark of one that the reference app wrote.
    """
    value = {**raw, **record.model_dump(mode="json")}
    value |= {name: raw[name] for name in SessionChange.model_fields if name in raw}
    value.pop("legacy", None)
    if raw and is_legacy(raw):
        value["legacy"] = True
    return value


def to_record(raw: Mapping[str, Any], session_id: str) -> SessionRecord:
    """The typed record; missing fields get defaults, odd ones are dropped, unknown ones kept."""
    value = {**raw, "session_id": session_id}
    state = _state(raw)
    value["state"] = value["training_state"] = state or RunState.INTERRUPTED
    value["timestamp"] = time_of(raw.get("timestamp")) or datetime.fromtimestamp(0, UTC)
    for name in ("created_at", "started_at", "ended_at"):
        value[name] = time_of(raw.get(name))
    for _ in range(8):
        try:
            return SessionRecord.model_validate(value)
        except ValidationError as problem:
            for error in problem.errors():
                value.pop(str(error["loc"][0]), None)
    raise Damaged(f"The record of session {session_id} has fields of the wrong type.")


def to_summary(raw: Mapping[str, Any], session_id: str) -> SessionSummary:
    """A row of the list, from whatever the record has."""
    config, metrics = _dict(raw.get("config")), _dict(raw.get("metrics"))
    best, model = _dict(raw.get("best_model")), _dict(raw.get("model"))
    model_path = _text(config.get("model_path")) or _text(model.get("path"))
    start, end = time_of(raw.get("started_at")), time_of(raw.get("ended_at"))
    elapsed = _number(metrics.get("elapsed_seconds"))
    if elapsed is None and start and end:
        elapsed = max(0.0, (end - start).total_seconds())
    metric, value = _best(best, metrics)
    tags = raw.get("tags")
    return SessionSummary(
        session_id=session_id,
        timestamp=time_of(raw.get("timestamp")),
        training_state=_state(raw),
        model_name=Path(model_path).name if model_path else None,
        adapter_name=_text(config.get("adapter_name")) or _adapter_folder(raw),
        final_train_loss=_number(metrics.get("train_loss")),
        final_val_loss=_number(metrics.get("val_loss")),
        steps_completed=_whole(metrics.get("current_step")),
        total_steps=known_steps(metrics.get("total_steps")),
        method=_text(raw.get("method")) or _text(metrics.get("method")) or "sft",
        best_val_loss=value if metric == "val_loss" else None,
        best_metric=metric,
        best_value=value,
        duration_seconds=elapsed,
        notes=_text(raw.get("notes")) or "",
        tags=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        adapter_ready=False,
        train_data=_file_name(config.get("train_data_path") or config.get("data_path")),
        coverage=_coverage(_dict(raw.get("lora")).get("keys")),
        name=_text(raw.get("name")),
        pinned=raw.get("pinned") is True,
        curve=_curve(raw.get("curve")),
        legacy=is_legacy(raw),
        problem=None if _state(raw) else "The record has no valid training_state.",
    )


def search_text(raw: Mapping[str, Any], summary: SessionSummary) -> str:
    """What a search looks into, in lower case: names, notes, tags, files and how it ended."""
    config, ending = _dict(raw.get("config")), _dict(raw.get("exit"))
    named = (_text(config.get(name)) for name in ("model_path", "train_data_path"))
    parts = [
        summary.session_id, summary.name, summary.adapter_name, summary.model_name, summary.method,
        summary.training_state, summary.notes, *summary.tags, *named, _text(ending.get("message")),
        summary.problem,
    ]  # fmt: skip
    return "\n".join(part for part in parts if part).lower()


def to_metrics(raw: Mapping[str, Any]) -> RunMetrics:
    """The stored numbers of a run that has ended; what is not one is unknown."""
    values = {name: raw[name] for name in RunMetrics.model_fields if name in raw}
    values.pop("estimated_time_remaining", None)
    values["total_steps"] = known_steps(raw.get("total_steps"))
    try:
        return RunMetrics.model_validate(values)
    except ValidationError as problem:
        for error in problem.errors():
            values.pop(str(error["loc"][0]), None)
        return RunMetrics.model_validate(values)


def problem_summary(session_id: str, problem: str, timestamp: datetime) -> SessionSummary:
    """The row of a record that can't be read; its time is the file's."""
    return SessionSummary(
        session_id=session_id,
        timestamp=timestamp,
        training_state=None,
        model_name=None,
        adapter_name=None,
        final_train_loss=None,
        final_val_loss=None,
        steps_completed=None,
        total_steps=None,
        method=None,
        best_val_loss=None,
        duration_seconds=None,
        notes="",
        tags=[],
        adapter_ready=False,
        problem=problem,
    )


def time_of(value: Any) -> datetime | None:
    """An aware time; the reference app wrote local times without a zone."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _best(best: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[Metric, float | None]:
    """What a run goes by, and the best of it. Older records have validation losses only."""
    metric = next((name for name in get_args(Metric) if name == best.get("metric")), None)
    if metric is not None:
        return metric, _number(best.get("value"))
    return "val_loss", _number(best.get("val_loss", metrics.get("best_val_loss")))


def _state(raw: Mapping[str, Any]) -> RunState | None:
    """The run's state, whichever of its two names it stands under."""
    for name in ("training_state", "state"):
        value = raw.get(name)
        if isinstance(value, str) and value in _STATES:
            return RunState(value)
    return None


def _adapter_folder(raw: Mapping[str, Any]) -> str | None:
    path = _text(raw.get("adapter_path"))
    return Path(path).parent.name if path else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _file_name(value: Any) -> str | None:
    path = _text(value)
    return Path(path).name if path else None


def _coverage(keys: Any) -> Literal["full", "attention", "other"] | None:
    """By the names that LoRA's matrices have in every architecture."""
    if not isinstance(keys, list) or not keys:
        return None
    attention = [str(key) for key in keys if "attn" in str(key) or "attention" in str(key)]
    mlp = [str(key) for key in keys if "mlp" in str(key) or "feed_forward" in str(key)]
    if attention and mlp:
        return "full"
    return "attention" if len(attention) == len(keys) else "other"


def _curve(value: Any) -> list[float | None]:
    """A picture needs no more than four digits, and there are ten thousand of them."""
    if not isinstance(value, list):
        return []
    numbers = map(_number, value[:CURVE_POINTS])
    return [None if number is None else float(f"{number:.4g}") for number in numbers]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None else None
