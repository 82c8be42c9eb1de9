"""The best validation, the patience, and the sentence that sums a run up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.contract.run.numbers import Metric
from backend.engines.process.events import Emitter
from backend.engines.trainer.early_stopping import Counters, EarlyStopping, Patience


def stopping(folder: Path, **given: Any) -> EarlyStopping:
    metric: Metric = given.pop("metric", "val_loss")
    return EarlyStopping(
        Emitter(folder / "events.jsonl"),
        metric=metric,
        save_best=lambda step: folder / "best_adapters.safetensors",
        patience=Patience(enabled=True, evaluations=2, min_delta=0.1),
        counters=given.pop("counters", Counters()),
        **given,
    )


def warnings(folder: Path) -> list[str]:
    path = folder / "events.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines]
    return [event["message"] for event in events if event["type"] == "warning"]


def test_the_lowest_loss_is_best_and_patience_counts_what_is_no_gain(tmp_path: Path) -> None:
    found = stopping(tmp_path)

    for step, loss in enumerate([3.0, 2.0, 1.95, 1.93]):
        found.judge(step, loss)

    assert (found.best, found.stopped) == ((3, 1.93), True)
    assert found.summary(3, 9, hint="?") == (
        "Stopped early at iteration 3 of 9: validation stopped improving. "
        "The best adapter is that of iteration 3, with a validation loss of 1.930."
    )
    assert not warnings(tmp_path)


def test_the_patience_of_a_run_that_goes_on_is_what_it_was(tmp_path: Path) -> None:
    first = stopping(tmp_path)
    first.judge(1, 2.0)
    first.judge(2, 2.0)

    second = stopping(tmp_path, counters=first.counters(train_loss=2.0, validated=4))
    second.judge(3, 2.0)

    assert second.stopped


@pytest.mark.parametrize(
    ("beats_base", "metric", "value", "summary", "warning"),
    [
        (
            True, "val_loss", 3.5,
            "Trained 4 iterations. No validation came below the untrained model's 3.000, so there "
            "is no best adapter; the last one is saved.",
            "No validation came below the untrained model's 3.000.",
        ),
        (
            False, "val_reward", 2.5,
            "Trained 4 iterations. The best adapter is that of iteration 4, with a validation "
            "reward of 2.500.",
            "No validation reward was better than the untrained model's 3.000.",
        ),
    ],
)  # fmt: skip
def test_a_run_without_a_gain_says_so(
    tmp_path: Path, beats_base: bool, metric: Metric, value: float, summary: str, warning: str
) -> None:
    found = stopping(tmp_path, beats_base=beats_base, metric=metric)
    found.judge(0, 3.0)
    found.judge(4, value)

    assert found.summary(4, 4, hint="?") == summary
    assert warnings(tmp_path) == [warning]


def test_a_run_without_validations_tells_its_length(tmp_path: Path) -> None:
    assert stopping(tmp_path).summary(4, 4, hint="?") == "Trained 4 iterations."
