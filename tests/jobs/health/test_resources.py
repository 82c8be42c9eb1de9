"""Machines that slow down or fill up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.health.runs import falling, reports, watch

GB = 1_000_000_000


def test_a_run_at_half_its_speed_is_told_once_it_lasts() -> None:
    speed = [50.0, *([1000.0, 900.0] * 10), *([300.0] * 10)]
    run = watch(reports(falling(len(speed)), tokens_per_second=speed))

    assert run.codes == ["throughput_drop"]
    assert run.alerts[0].level == "warning"


def test_one_slow_report_is_no_collapse() -> None:
    speed = [1000.0, 900.0] * 10
    speed[15] = speed[16] = 100.0
    assert watch(reports(falling(20), tokens_per_second=speed)).codes == []


def test_longer_answers_slow_a_reward_run_without_fault() -> None:
    speed = [10.0] * 12 + [2.0] * 10
    run = watch(reports([0.0] * 22, iterations_per_second=speed), family="reward")
    assert run.codes == []


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({}, {"grad_checkpoint": True}),
        ({"grad_checkpoint": True, "batch_size": 4}, {"batch_size": 2}),
        (
            {"grad_checkpoint": True, "batch_size": 1, "max_seq_length": 2048},
            {"max_seq_length": 1024},
        ),
        ({"grad_checkpoint": True, "batch_size": 1, "max_seq_length": 128}, None),
    ],
)
def test_memory_near_the_limit_has_a_fix(
    settings: dict[str, Any], fix: dict[str, Any] | None
) -> None:
    history = reports([2.0, 1.9], peak_memory_gb=[5.0, 9.5])
    (alert,) = watch(history, memory_limit=10 * GB, **settings).alerts

    assert (alert.code, alert.level, alert.fix) == ("memory_near_limit", "warning", fix)
    assert "95 %" in alert.message


def test_memory_beyond_the_limit_is_told_again_and_louder() -> None:
    history = reports([2.0, 1.9], peak_memory_gb=[9.5, 11.0])
    run = watch(history, memory_limit=10 * GB)
    assert [alert.level for alert in run.alerts] == ["warning", "error"]


def test_a_peak_that_goes_on_rising_is_told() -> None:
    peaks = [2.0] * 20 + [2.0 + 0.02 * n for n in range(30)]
    assert watch(reports(falling(50), peak_memory_gb=peaks)).codes == ["memory_creeping"]


def test_the_longest_row_may_come_late() -> None:
    peaks = [2.0] * 45 + [2.6] * 15
    assert watch(reports(falling(60), peak_memory_gb=peaks)).codes == []
