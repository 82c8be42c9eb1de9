from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.contract.jobs.machine_benchmark import MachineBenchmark
from backend.jobs.run.schemas import ModelRef, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.training.estimate.duration import PastRun, Work, estimate_seconds, past_runs


def past(speed: float, **more: Any) -> PastRun:
    known: dict[str, Any] = {"fingerprint": "a", "parameters": 1000, "checkpointing": False}
    return PastRun(tokens_per_second=speed, **known | more)


def work(**more: Any) -> Work:
    known: dict[str, Any] = {
        "fingerprint": "a", "parameters": 1000, "checkpointing": False, "trained_tokens": 6000.0,
        "validated_tokens": 0.0,
    }  # fmt: skip
    return Work(**known | more)


def test_without_a_past_run_nothing_is_claimed() -> None:
    assert estimate_seconds([], work()) is None
    assert estimate_seconds([past(10, fingerprint="b", parameters=None)], work()) is None


def test_runs_of_the_same_model_count_before_all_others() -> None:
    assert estimate_seconds([past(9999, fingerprint="b"), past(100)], work()) == 60


def test_another_models_speed_is_scaled_by_its_weights() -> None:
    assert estimate_seconds([past(100, fingerprint="b", parameters=4000)], work()) == 15


def test_recomputing_activations_costs_a_third_more() -> None:
    assert estimate_seconds([past(100)], work(checkpointing=True)) == pytest.approx(80)


def test_validation_takes_a_third_of_training_per_token() -> None:
    assert estimate_seconds([past(100)], work(validated_tokens=3000.0)) == pytest.approx(70)


def test_only_the_newest_runs_are_asked() -> None:
    assert estimate_seconds([past(100)] * 5 + [past(1)] * 20, work()) == 60


def test_speeds_are_read_from_the_records(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    store.open()
    measured = {"tokens_per_second": 250.0, "total_parameters": 7}
    several = {"distributed": {"processes": 2}}  # Not the speed of one process.
    for metrics, asked in ((measured, {}), ({}, {}), (measured, several)):
        store.save(
            SessionRecord(
                session_id=str(uuid4()),
                timestamp=datetime.now(UTC),
                training_state=RunState.COMPLETED,
                state=RunState.COMPLETED,
                config={"grad_checkpoint": True, **asked},
                metrics=metrics,
                model=ModelRef(path="/m", fingerprint="f"),
            )
        )

    assert past_runs(store) == [
        PastRun(fingerprint="f", parameters=7, tokens_per_second=250.0, checkpointing=True)
    ]


def test_a_quantised_base_is_not_judged_by_runs_on_the_whole_one() -> None:
    assert estimate_seconds([past(2000), past(100, quantize_base=4)], work(quantize_base=4)) == 60
    assert estimate_seconds([past(100)], work(quantize_base=4)) is None


def test_a_benchmark_of_the_machine_counts_where_no_run_fits() -> None:
    measured = MachineBenchmark(
        device="cpu", precision="float32", matmul_width=1024, matmul_flops_per_second=1e6,
        memory_bytes=1, memory_bytes_per_second=1.0, training_flops_per_second=600_000.0,
        mlx="0", measured="",
    )  # fmt: skip
    # 1000 weights at six operations each: 100 tokens a second.
    assert estimate_seconds([], work(), measured) == 60
    assert estimate_seconds([], work(quantize_base=4), measured) is None
    assert estimate_seconds([past(200)], work(), measured) == 30
