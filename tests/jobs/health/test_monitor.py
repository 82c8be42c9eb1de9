"""Silence, repetition, and what is known of a run's settings."""

from __future__ import annotations

from backend.jobs.health.facts import RunFacts
from backend.jobs.health.monitor import HealthMonitor
from tests.jobs.health.runs import reports, watch
from tests.jobs.run.test_progress import START, events_of


def test_silence_is_told_once_and_a_report_ends_it() -> None:
    run = watch(reports([2.0, 1.9, 1.8]))
    monitor = run.monitor

    assert monitor.silent(60, at=START) is None
    alert = monitor.silent(600, at=START)
    assert alert is not None
    assert (alert.code, alert.level) == ("stalled", "warning")
    assert "10 minutes" in alert.message
    assert run.verdicts[-1] == "healthy"
    before = monitor.verdict
    assert monitor.silent(700, at=START) is None
    monitor.apply(events_of((9, "metrics", {"step": 20, "train_loss": 1.7}))[0])
    assert (before, monitor.verdict) == ("watch", "healthy")


def test_a_run_of_slow_reports_may_be_silent_for_longer() -> None:
    monitor = HealthMonitor(RunFacts())
    for event in events_of(*((n * 300.0, "metrics", {"step": n}) for n in (1, 2, 3))):
        monitor.apply(event)

    assert monitor.silent(900, at=START) is None
    assert monitor.silent(3600, at=START) is not None


def test_an_alert_is_raised_once_for_as_long_as_it_stands() -> None:
    spread = [0.0] * 10
    run = watch(reports(spread, group_reward_std=spread), family="reward")
    assert run.codes == ["equal_rewards"]


def test_the_settings_of_a_foreign_record_are_taken_for_what_they_are() -> None:
    facts = RunFacts.of_request(
        "gspo", {"learning_rate": "1e-5", "batch_size": True, "group_size": 4}, total_steps=7
    )
    assert (facts.family, facts.learning_rate, facts.batch_size) == ("reward", None, None)
    assert (facts.group_size, facts.total_steps, facts.accumulation) == (4, 7, 1)
