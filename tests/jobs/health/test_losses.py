"""Losses that go wrong raise their alert, healthy ones none."""

from __future__ import annotations

import math

import pytest

from tests.jobs.health.runs import falling, merged, reports, validated, watch


def test_a_healthy_run_raises_nothing() -> None:
    run = watch(merged(reports(falling()), validated(falling(10))))

    assert run.alerts == []
    assert run.verdicts[-1] == "healthy"


def test_nothing_is_judged_before_there_is_enough_to_judge_by() -> None:
    assert watch(reports([2.0, 1.9])).verdicts == [None, None]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_asks_for_a_lower_rate(loss: float) -> None:
    run = watch(reports([2.0, 1.9, loss]))

    (alert,) = run.alerts
    assert (alert.code, alert.level, alert.step) == ("loss_not_finite", "error", 15)
    assert alert.fix == {"learning_rate": 1e-5}
    assert run.verdicts[-1] == "act"


def test_an_engine_that_wrote_null_for_it_is_understood() -> None:
    warning = {"code": "not_finite", "message": "train_loss was nan.", "metric": "train_loss"}
    run = watch([*reports([2.0]), (2, "warning", warning)])
    assert run.codes == ["loss_not_finite"]


def test_a_loss_that_runs_away_is_a_divergence_and_nothing_else() -> None:
    run = watch(reports([2.0, 1.9, 1.8, 1.7, 2.5, 3.5, 4.5, 6.0, 7.0, 8.0]))

    assert run.codes == ["divergence"]
    assert run.alerts[0].fix == {"learning_rate": 2e-5}
    assert run.verdicts[-1] == "act"


def test_one_bad_batch_is_no_divergence() -> None:
    assert watch(reports([2.0, 1.9, 1.8, 9.0, 1.7, 1.6, 1.6, 1.5])).alerts == []


def test_a_loss_that_jumps_again_and_again_means_a_rate_that_is_high() -> None:
    losses = falling(20)
    for n in (8, 12, 16):
        losses[n] *= 2.2
    run = watch(reports(losses))

    assert run.codes == ["learning_rate_high"]
    assert run.alerts[0].fix == {"learning_rate": 3.3e-05}
    assert run.verdicts[-1] == "watch"


def test_jumps_while_the_rate_rises_are_no_fault() -> None:
    losses = falling(12)
    for n in (2, 4, 6):
        losses[n] *= 2.2
    assert "learning_rate_high" not in watch(reports(losses), warmup_steps=60).codes


def test_a_low_rate_and_a_loss_that_hardly_falls_are_told() -> None:
    run = watch(reports(falling(20, 2.0, 1.98)), learning_rate=1e-6)

    assert run.codes == ["learning_rate_low"]
    assert run.alerts[0].fix == {"learning_rate": 1e-5}


def test_a_low_rate_that_learns_is_fine() -> None:
    assert watch(reports(falling()), learning_rate=1e-6).alerts == []


def test_a_usual_rate_is_not_called_low() -> None:
    assert watch(reports(falling(20, 2.0, 1.98)), learning_rate=1e-4).alerts == []


def test_full_fine_tuning_takes_a_tenth_of_the_rate() -> None:
    history = reports(falling(20, 2.0, 1.98))
    assert watch(history, learning_rate=5e-6, fine_tune_type="full").alerts == []


def test_validation_that_rises_while_training_falls_is_overfitting() -> None:
    losses = [1.5, 1.2, 1.0, 1.0, 1.05, 1.1, 1.2]
    run = watch(merged(reports(falling(30, 2.0, 0.3)), validated(losses)))

    assert run.codes == ["overfitting"]
    assert "best at iteration 40" in run.alerts[0].message
    assert run.alerts[0].fix == {"early_stop": True}
    assert run.verdicts[-1] == "watch"


def test_with_early_stopping_the_next_run_is_to_be_shorter() -> None:
    losses = [1.5, 1.2, 1.0, 1.2, 1.4]
    run = watch(merged(reports(falling(30, 2.0, 0.3)), validated(losses)), early_stop=True)
    assert run.alerts[0].fix == {"iterations": 40}


def test_a_new_best_takes_the_overfitting_back() -> None:
    losses = [1.5, 1.2, 1.35, 1.0]
    run = watch(merged(reports(falling(30, 2.0, 0.3)), validated(losses)))

    assert run.codes == ["overfitting"]
    assert run.verdicts[-1] == "healthy"


def test_a_level_loss_is_a_fact_and_no_fault() -> None:
    train = [*falling(10, 2.0, 1.0), *falling(40, 1.0, 1.0)]
    run = watch(merged(reports(train), validated([1.5, 1.2, *([1.0, 1.001] * 5)])))

    assert run.codes == ["plateau"]
    assert run.alerts[0].level == "info"
    assert run.verdicts[-1] == "healthy"


def test_validations_that_are_exactly_equal_mean_weights_that_do_not_move() -> None:
    run = watch(merged(reports(falling(20, 2.0, 2.0)), validated([1.5, 1.5, 1.5])))

    assert run.codes == ["weights_not_moving"]
    assert run.verdicts[-1] == "act"


def test_gradients_of_zero_mean_the_same() -> None:
    assert watch(reports([2.0, 2.1, 1.9], grad_norm=[0.0, 0.0, 0.0])).codes == [
        "weights_not_moving"
    ]


def test_validations_between_two_updates_may_be_equal() -> None:
    history = merged(reports(falling(20)), validated([1.5, 1.5, 1.5], every=4))
    assert "weights_not_moving" not in watch(history, accumulation=8).codes


def test_losses_of_reward_methods_mean_nothing() -> None:
    run = watch(reports([0.0, 0.1, -0.2, 3.0, 9.0, 9.0, 9.0]), family="reward")
    assert run.alerts == []
