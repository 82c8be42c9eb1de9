"""Reports of reinforcement learning: what is counted, what is warned of, and which samples show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import pytest

from backend.contract.run.numbers import FunctionReward
from backend.engines.optimizer.grad_norm import measured
from backend.engines.process.events import Emitter
from backend.engines.rl.preferences import Pairs
from backend.engines.rl.reports import Guards, RlReport
from backend.engines.rl.rollouts import Rollouts
from backend.engines.rl.scorer import Scorer
from backend.engines.trainer.divergence import Diverged
from backend.engines.trainer.reports import Reports

pytestmark = pytest.mark.engine


class Reward:
    """Scores by a table; a text that is not in it does not apply."""

    def __init__(
        self, name: str, scores: dict[str, float], *, weight: float = 1.0, maximum: float = 1.0
    ) -> None:
        self.name, self.weight, self.maximum = name, weight, maximum
        self._scores = scores

    def __call__(
        self, prompts: Any, completions: Sequence[str], answer: Any, types: Any = None
    ) -> list[float | None]:
        return [self._scores.get(text) for text in completions]


def scored(texts: Sequence[str], *rewards: Reward, group: int = 2) -> Scorer:
    scorer = Scorer(rewards, group=group, stopping=lambda: False, success="good")
    for function in scorer.functions():
        function(prompts=["?"] * len(texts), completions=texts, answer=["!"] * len(texts))
    return scorer


GOOD = Reward("good", {"a": 1.0, "b": 0.5, "c": 0.0})


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rewards_add_up_by_weight_and_skip_what_does_not_apply() -> None:
    scorer = scored(["a", "c", "z", "b"], GOOD, Reward("half", {"z": 3.0}, weight=0.5))

    assert [one.total for one in scorer.rollouts.completions] == [1.0, 0.0, 1.5, 0.5]
    assert scorer.success_rate(scorer.rollouts) == pytest.approx(1 / 3)
    report = scorer.rollouts.rewards_report(scorer.names)
    assert report.group_reward_std == 0.5  # Groups of (1, 0) and (1.5, 0.5).
    assert report.rewards is not None
    assert report.rewards["good"].coverage == 0.75
    assert report.rewards["half"] == FunctionReward(mean=3.0, std=0.0, coverage=0.25)


def test_groups_of_several_steps_stay_apart() -> None:
    scorer = scored(["a", "a"], GOOD)
    for function in scorer.functions():
        function(prompts=["?"] * 2, completions=["c", "c"], answer=["!"] * 2)

    assert scorer.rollouts.by_group() == [[1.0, 1.0], [0.0, 0.0]]
    assert [one.text for one in scorer.rollouts.latest] == ["c", "c"]


def test_empty_completions_are_warned_of_once(tmp_path: Path) -> None:
    guards = Guards(Emitter(tmp_path / "events.jsonl"))
    rollouts = scored(["", " ", "a", "b"], GOOD).rollouts

    guards.look(rollouts)
    guards.look(rollouts)

    (warning,) = events(tmp_path / "events.jsonl")
    assert warning["code"] == "empty_completions"
    assert warning["hint"]


def test_good_completions_are_not_warned_of(tmp_path: Path) -> None:
    guards = Guards(Emitter(tmp_path / "events.jsonl"))
    rollouts = scored(["a", "c"], GOOD).rollouts
    rollouts.lengths, rollouts.cut = [8, 3], 1

    guards.look(rollouts)
    guards.look(Rollouts())

    assert not (tmp_path / "events.jsonl").exists()


def reports(path: Path, scorer: Scorer, *, sums: bool = False) -> Reports:
    emit = Emitter(path)
    return Reports(
        emit, measured(optim.Adam)(learning_rate=1e-4),
        RlReport(emit, scorer, samples=2, sums=sums, has_kl=False),
        seconds=lambda info, steps: 0.5, check=lambda step, loss: None,
        steps_per_epoch=10, first_step=20, trained_tokens=100,
    )  # fmt: skip


def test_a_report_of_a_run_that_goes_on_counts_on(tmp_path: Path) -> None:
    listening = reports(tmp_path / "events.jsonl", scored(["a", "b", "c", "c"], GOOD))

    listening.on_train_loss_report(
        {"iteration": 5, "train_loss": 0.25, "trained_tokens": 50, "train_kl": 0.0,
         "train_policy_logps": -3.0, "train_good_mean": 9.0}
    )  # fmt: skip

    metrics, best, worst = events(tmp_path / "events.jsonl")
    assert (metrics["step"], metrics["epoch"], metrics["trained_tokens"]) == (25, 2.5, 150)
    assert (metrics["iterations_per_second"], metrics["tokens_per_second"]) == (10.0, 100.0)
    assert metrics["learning_rate"] == 1e-4
    assert metrics["kl"] is None  # There was no reference to compare with.
    assert metrics["details"] == {"policy_logps": -3.0}
    assert (best["text"], worst["total"]) == ("a", 0.0)


def test_sums_over_the_whole_run_become_means_of_the_stretch(tmp_path: Path) -> None:
    listening = reports(tmp_path / "events.jsonl", Scorer((), group=2, stopping=lambda: False),
                        sums=True)  # fmt: skip

    # Accuracies of 1, 1 and then 0, 0: the engine keeps adding, and divides by two steps.
    listening.on_train_loss_report({"iteration": 2, "train_loss": 1.0, "train_accuracies": 1.0})
    listening.on_train_loss_report({"iteration": 4, "train_loss": 1.0, "train_accuracies": 1.0})

    assert [event["accuracy"] for event in events(tmp_path / "events.jsonl")] == [1.0, 0.0]


def test_a_loss_that_is_not_a_number_ends_the_run(tmp_path: Path) -> None:
    listening = reports(tmp_path / "events.jsonl", Scorer((), group=2, stopping=lambda: False))

    with pytest.raises(Diverged, match="iteration 21"):
        listening.on_train_loss_report({"iteration": 1, "train_loss": float("nan")})


def test_accuracy_is_counted_by_pair_and_a_tie_is_half() -> None:
    pairs = Pairs()
    loss = pairs.listen(lambda **_: (0.0, 0.0, 2, {"accuracies": mx.array(0.0)}))
    pairs.begin()

    *_, metrics = loss(
        policy_chosen_score=mx.array([-1.0, -4.0, -2.0]),
        policy_rejected_score=mx.array([-2.0, -3.0, -2.0]),
        beta=0.5,
    )

    assert metrics.keys() == {"accuracies"}
    assert metrics["accuracies"].item() == 0.5
    assert pairs.measured().set_fields() == pytest.approx(
        {
            "val_accuracy": 0.5, "val_margin": 0.0, "val_rewards_chosen": -7 / 6,
            "val_rewards_rejected": -7 / 6,
        }
    )  # fmt: skip
    assert pairs.measured().set_fields() == {}
