"""Runs side by side: the numbers of their events and records, over one axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk.files import append_jsonl
from backend.errors import Invalid, NotFound
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.results.comparison import compare

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    made.open()
    return made


def run(store: SessionStore, name: str, *, valid: str | None = None, **config: Any) -> None:
    """Three reports, every 10 steps and 5 seconds, and a validation after step 20."""
    state = RunState.COMPLETED
    store.save(
        SessionRecord(
            session_id=name, timestamp=START, training_state=state, state=state,
            config={"model_path": "/models/tiny", "adapter_name": name, **config},
            metrics={"train_loss": 0.5, "trained_tokens": 300, "peak_memory_gb": 1.5,
                     "trainable_parameters": 1000, "elapsed_seconds": 15.0},
            best_model={"step": 20, "path": "x", "val_loss": 0.75, "value": 0.75},
        )
    )  # fmt: skip
    folder = store.folder(name)
    (folder / "data").mkdir(parents=True)
    events = folder / "events.jsonl"
    seq = 0
    for step in (10, 20, 30):
        seq += 1
        at = (START + timedelta(seconds=step / 2)).isoformat()
        append_jsonl(events, {"seq": seq, "at": at, "type": "metrics", "step": step,
                              "train_loss": 5 / step, "trained_tokens": step * 10})  # fmt: skip
        if step == 20:
            seq += 1
            append_jsonl(events, {"seq": seq, "at": at, "type": "validation", "step": 20,
                                  "val_loss": 0.75, "val_time": 1.0})  # fmt: skip
    if valid is not None:
        (folder / "data" / "valid.jsonl").write_text(valid)


@pytest.mark.parametrize(
    ("x", "train", "validation"),
    [("step", [10, 20, 30], 20), ("tokens", [100, 200, 300], 200), ("seconds", [0, 5, 10], 5)],
)
def test_curves_stand_over_the_axis_that_is_asked_for(
    store: SessionStore, x: Any, train: list[float], validation: float
) -> None:
    run(store, "a")
    run(store, "b")
    shown = compare(store, ["a", "b"], x, 100).runs[0].series
    assert shown["train_loss"] == list(zip(train, [0.5, 0.25, 5 / 30], strict=True))
    assert shown["val_loss"] == [(validation, 0.75)]
    assert "learning_rate" not in shown, "a number that the run never had is no curve"


def test_numbers_are_those_of_the_record(store: SessionStore) -> None:
    run(store, "a")
    run(store, "b")
    (store.adapters_dir / "a").mkdir()
    (store.adapters_dir / "a" / "adapters.safetensors").write_bytes(b"12345")
    (store.adapters_dir / "a" / "droid.json").write_text('{"session_id": "a"}')
    first, second = compare(store, ["a", "b"], "step", 100).runs
    assert (first.final.train_loss, first.best.value, first.best.step) == (0.5, 0.75, 20)
    spent = first.resources
    assert (spent.duration_seconds, spent.peak_memory_gb) == (15.0, 1.5)
    assert (spent.adapter_bytes, spent.trainable_parameters) == (5, 1000)
    assert spent.tokens_per_second is None
    assert second.resources.adapter_bytes is None


def test_only_settings_that_differ_are_named(store: SessionStore) -> None:
    run(store, "a", learning_rate=1e-4, batch_size=4)
    run(store, "b", learning_rate=1e-5, batch_size=4, dropout=0.1)
    found = {one.field: one.values for one in compare(store, ["a", "b"], "step", 10).differences}
    assert found == {"learning_rate": [1e-4, 1e-5], "dropout": [None, 0.1]}


@pytest.mark.parametrize(
    ("first", "second", "same", "common"),
    [
        ('{"text": "1"}\n{"text": "2"}\n', '{"text": "2"}\n{"text": "1"}\n', True, 2),
        ('{"text": "1"}\n{"text": "2"}\n', '{"text": "2"}\n', False, 1),
        ('{"text": "1"}\n', None, None, None),
    ],
)
def test_whether_validation_was_on_the_same_rows_is_said(
    store: SessionStore, first: str, second: str | None, same: bool | None, common: int | None
) -> None:
    run(store, "a", valid=first)
    run(store, "b", valid=second)
    held_out = compare(store, ["a", "b"], "step", 10).held_out
    assert (held_out.same, held_out.common) == (same, common)


def test_one_run_or_an_unknown_one_is_refused(store: SessionStore) -> None:
    run(store, "a")
    with pytest.raises(Invalid, match="1 was given"):
        compare(store, ["a", "a"], "step", 10)
    with pytest.raises(NotFound):
        compare(store, ["a", "gone"], "step", 10)
