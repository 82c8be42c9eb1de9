"""Reports of reward and preference runs as one line each, without bars and rules."""

from __future__ import annotations

import pytest

from backend.contract.run.events import Validation
from backend.contract.run.numbers import FunctionReward, RewardNumbers
from backend.engines.rl.hooks import SilentBar
from backend.engines.rl.reports import training_line, validation_line

pytestmark = pytest.mark.engine

INFO = {"train_loss": 0.1234, "learning_rate": 1e-5, "iterations_per_second": 0.42}


def test_a_report_is_one_line_of_what_the_method_has() -> None:
    numbers = RewardNumbers(avg_reward=0.25, reward_std=0.5, kl=1.7e-6, success_rate=0.5)
    assert training_line(4, INFO, numbers) == (
        "Iter 4: Train loss 0.123, Reward 0.250 ± 0.500, Success 50%, KL 1.7e-06, "
        "Learning Rate 1e-05, It/sec 0.42"
    )
    pairs = RewardNumbers(margin=0.2, accuracy=0.75)
    assert training_line(2, INFO, pairs).startswith(
        "Iter 2: Train loss 0.123, Margin 0.2, Accuracy 75%"
    )


def test_each_of_several_functions_has_its_share() -> None:
    rewards = {"f1": FunctionReward(mean=0.5, std=0.1), "short": FunctionReward(mean=1.0)}
    line = training_line(1, INFO, RewardNumbers(avg_reward=1.5, rewards=rewards))
    assert "Reward 1.500, f1 0.500 ± 0.100, short 1.000" in line


def test_a_validation_is_one_line_too() -> None:
    assert validation_line(Validation(step=3, val_reward=0.5, val_time=1.5)) == (
        "Iter 3: Val reward 0.500, Val took 1.5s"
    )
    assert validation_line(Validation(step=3)) is None


def test_the_bar_counts_and_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    bar = SilentBar(range(3), desc="Training")
    assert list(bar) == [0, 1, 2]
    bar.set_postfix({"loss": 1})
    bar.write("=" * 80)
    assert capfd.readouterr() == ("", "")
