"""What past runs say of the time of methods, and what they can't say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.jobs.run.schemas import ModelRef, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.training.estimate.method_duration import (
    PastSteps,
    past_steps,
    relative_cost,
    seconds_for,
)
from backend.training.request.method_fields import EnhancedStart

# A GRPO run whose answers ended by themselves: 8 of 20 tokens on average, in 2 seconds a step.
SPEED = {"iterations_per_second": 0.5, "completion_length_mean": 20.0, "hit_max_tokens_ratio": 0.0}


def asked(method: str = "grpo", **fields: Any) -> EnhancedStart:
    known = {
        "training_method": method, "model_path": "m", "train_data_path": "d", "batch_size": 2,
        "max_completion_length": 64, "val_batches": 0,
    }  # fmt: skip
    return EnhancedStart.model_validate(known | fields)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    made.open()
    return made


def ran(
    store: SessionStore, metrics: dict[str, Any], method: str = "grpo", **fields: Any
) -> list[PastSteps]:
    """All runs on the machine after such a one."""
    store.save(
        SessionRecord(
            session_id=str(uuid4()),
            timestamp=datetime.now(UTC),
            training_state=RunState.COMPLETED,
            state=RunState.COMPLETED,
            method=method,
            config=asked(method, **fields).model_dump(mode="json"),
            metrics=metrics,
            model=ModelRef(path="/m", fingerprint="f"),
        )
    )
    return past_steps(store)


def seconds(past: list[PastSteps], fingerprint: str = "f", **fields: Any) -> float | None:
    return seconds_for(past, asked(**fields), fingerprint, 10, valid_rows=8)


def test_a_run_takes_its_steps_and_not_the_time_of_loading(store: SessionStore) -> None:
    past = ran(store, SPEED | {"elapsed_seconds": 500.0, "current_step": 10})

    assert seconds(past) == pytest.approx(20)


def test_more_answers_take_as_much_longer(store: SessionStore) -> None:
    past = ran(store, SPEED)

    assert seconds(past, group_size=8) == pytest.approx(40)
    assert seconds(past, batch_size=1) == pytest.approx(10)


def test_longer_answers_cost_more_only_where_they_become_longer(store: SessionStore) -> None:
    past = ran(store, SPEED)

    assert seconds(past, max_completion_length=512) == pytest.approx(20), "they end by themselves"
    assert seconds(past, max_completion_length=10) == pytest.approx(10), "half of them is left"


def test_how_long_answers_would_have_become_that_were_cut_is_not_known(store: SessionStore) -> None:
    cut = {"completion_length_mean": 64.0, "hit_max_tokens_ratio": 1.0}
    past = ran(store, SPEED | cut)

    assert seconds(past, max_completion_length=128) is None
    assert seconds(past, max_completion_length=32) == pytest.approx(10)


@pytest.mark.parametrize(
    "other",
    [
        {"updates_per_rollout": 4}, {"grad_checkpoint": False}, {"quantize_base": 4},
        {"fine_tune_type": "full"}, {"beta": 0.0},
    ],
)  # fmt: skip
def test_runs_whose_tokens_cost_something_else_say_nothing(
    store: SessionStore, other: dict[str, Any]
) -> None:
    past = ran(store, SPEED)

    assert seconds(past, **other) is None
    assert seconds(ran(store, SPEED, **other), **other) == pytest.approx(20)


def test_other_models_and_methods_say_nothing(store: SessionStore) -> None:
    past = ran(store, SPEED)

    assert seconds(past, fingerprint="g") is None
    assert seconds(past, training_method="gspo") is None
    assert seconds(ran(store, {}), training_method="gspo") is None


def test_validation_takes_its_share(store: SessionStore) -> None:
    past = ran(store, SPEED)
    ran(store, {"iterations_per_second": 0.5, "trained_tokens": 200, "current_step": 10}, "dpo")

    # Before the first of 10 steps and after each 5: three times 4 batches, as long as a step each.
    assert seconds(past, val_batches=25, steps_per_eval=5) == pytest.approx(2 * (10 + 3 * 4))
    pairs: dict[str, Any] = {"training_method": "dpo", "val_batches": -1, "steps_per_eval": 5}
    assert seconds(past_steps(store), **pairs) == pytest.approx(2 * (10 + 3 * 4 / 3))
    unknown = asked(**pairs)
    assert seconds_for(past_steps(store), unknown, "f", 10, valid_rows=None) is None


def test_rows_that_a_longer_limit_would_not_have_cut_take_the_same(store: SessionStore) -> None:
    speed = {"iterations_per_second": 0.5, "current_step": 10}
    short = ran(store, speed | {"trained_tokens": 10 * 2 * 50}, "dpo", max_seq_length=1024)

    assert seconds(short, training_method="dpo", max_seq_length=2048) == pytest.approx(20)
    assert seconds(short, training_method="dpo", max_seq_length=25) == pytest.approx(10)
    long = ran(store, speed | {"trained_tokens": 10 * 2 * 1000}, "orpo", max_seq_length=1024)
    assert seconds(long, training_method="orpo", max_seq_length=2048) is None


def test_the_cost_of_a_step_against_fine_tuning_grows_with_its_answers(store: SessionStore) -> None:
    assert relative_cost(ran(store, SPEED), asked(), "f") is None, "nothing to compare with"
    past = ran(store, {"iterations_per_second": 10.0}, "sft")

    assert relative_cost(past, asked(), "f") == 20
    assert relative_cost(past, asked(group_size=16), "f") == 80
    assert relative_cost(past, asked(batch_size=4), "f") == 20, "both take twice as long"
    assert relative_cost(past, asked(max_completion_length=10), "f") == 10
    assert relative_cost(past, asked("sft"), "f") == 1


def test_damaged_or_unmeasured_runs_are_left_out(store: SessionStore) -> None:
    past = ran(store, {"iterations_per_second": None})

    assert past == []
