"""The lines of an events file: what is written, and what a reader makes of them."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.contract.run import events as run_events
from backend.contract.run.events import (
    EVENTS,
    Best,
    Metrics,
    Phase,
    Validation,
    read_event,
    write_event,
)
from backend.contract.run.numbers import FunctionReward

AT = datetime(2026, 12, 1, 12, 30, 0, 250_000, tzinfo=UTC)
STAMP = {"seq": 3, "at": AT.isoformat()}


def line(event: Any) -> dict[str, Any]:
    """As it stands in the file."""
    value: dict[str, Any] = json.loads(json.dumps(write_event(event, seq=3, at=AT)))
    return value


def test_only_what_an_event_was_made_with_is_written_in_that_order() -> None:
    event = Metrics(train_loss=1.5, step=5, kl=None, rewards={"f1": FunctionReward(mean=0.5)})

    written = line(event)

    assert list(written) == ["seq", "at", "type", "train_loss", "step", "kl", "rewards"]
    assert written == STAMP | {
        "type": "metrics", "train_loss": 1.5, "step": 5, "kl": None,
        "rewards": {"f1": {"mean": 0.5, "std": None, "coverage": None}},
    }  # fmt: skip


def test_an_event_survives_its_line() -> None:
    event = read_event(line(Metrics(step=5, rewards={"f1": FunctionReward(mean=1)})))

    assert isinstance(event, Metrics)
    assert (event.seq, event.at, event.step, event.kl) == (3, AT, 5, None)
    assert event.rewards == {"f1": FunctionReward(mean=1.0)}
    assert list(event.set_fields()) == ["seq", "at", "step", "rewards"]


def test_fields_of_a_newer_writer_are_kept() -> None:
    event = read_event({**STAMP, "type": "metrics", "step": 1, "since_next_version": 0.5})

    assert event is not None
    assert event.set_fields()["since_next_version"] == 0.5
    assert line(event)["since_next_version"] == 0.5


def test_a_best_of_an_earlier_version_goes_by_its_validation_loss() -> None:
    event = read_event({**STAMP, "type": "best", "step": 1, "path": "/b", "val_loss": 2})

    assert isinstance(event, Best)
    assert (event.metric, event.val_loss, event.value) == ("val_loss", 2.0, None)


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "metrics", "step": 1},
        {**STAMP, "type": "since_next_version"},
        {**STAMP, "type": ["metrics"], "step": 1},
        {**STAMP, "type": "metrics"},
        {**STAMP, "type": "metrics", "step": "one"},
        {**STAMP, "type": "phase", "name": "since next version"},
        {"seq": 1, "at": "yesterday", "type": "metrics", "step": 1},
        [],
        None,
    ],
)
def test_what_this_version_does_not_know_is_skipped(raw: object) -> None:
    assert read_event(raw) is None


def test_each_class_has_a_name_of_its_own() -> None:
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert EVENTS["phase"] is Phase


def test_a_test_has_every_number_of_a_validation() -> None:
    of_validation = {field.name.removeprefix("val_") for field in fields(Validation)} - {"time"}
    of_test = {field.name.removeprefix("test_") for field in fields(run_events.Tested)}
    assert of_test == of_validation | {"perplexity"}
