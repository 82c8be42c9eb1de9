"""Our training in the engine's place: the same run where theory says so, and what it reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm_lora.trainer import grpo_trainer

from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.rl.policy.train import PolicyLearner, objective_of, train_policy
from tests.engines.rl.policy.example_batch import PROMPTS, Policy, arguments, largest, load_policy

pytestmark = pytest.mark.engine

Reports = list[dict[str, Any]]


class Listener:
    def __init__(self) -> None:
        self.train: Reports = []

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        self.train.append(info)


def vowels(*, completions: list[str], **_: Any) -> list[float]:
    """Bytes of an untrained model: something that differs from one completion to the next."""
    return [sum(letter in "aeiou0123456789" for letter in text) / 4 for text in completions]


def rows(policy: Policy) -> list[Any]:
    return [(policy.tokens(prompt), [0], prompt, "4") for prompt in PROMPTS * 2]


def trained(
    folder: Path, train: Any, *, listener: Listener | None = None,
    reference: bool = False, dropout: float = 0.0, iterate: Any = None,
    updates: int | None = None, rate: float = 0.5,
    **changed: Any,
) -> dict[str, mx.array]:  # fmt: skip
    """The weights after a few steps with everything random seeded."""
    policy = load_policy(folder, dropout=dropout)
    quick = {
        "max_completion_length": 10,
        "adapter_file": str(folder.parent / "scratch.safetensors"),
    }
    args = arguments(**quick | changed)
    mx.random.seed(1)
    np.random.seed(1)
    train(
        model=policy.model,
        ref_model=AdapterOffReference(policy.model) if reference else None,
        tokenizer=policy.tokenizer,
        optimizer=optim.SGD(learning_rate=rate),
        train_dataset=rows(policy),
        reward_funcs=[vowels],
        args=args,
        training_callback=listener or Listener(),
        end_answer_token="",
        iterate_batches=iterate or grpo_trainer.iterate_grpo_batches,
        **({} if updates is None else {"updates_per_rollout": updates}),
    )
    return dict(tree_flatten(policy.model.trainable_parameters()))


def start(folder: Path) -> dict[str, mx.array]:
    return dict(tree_flatten(load_policy(folder).model.trainable_parameters()))


def gap(first: dict[str, mx.array], second: dict[str, mx.array]) -> float:
    return largest({name: first[name] - second[name] for name in first})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"importance_sampling_level": "sequence", "beta": 0.2},
        {"gradient_accumulation_steps": 3, "grpo_loss_type": "bnpo"},
    ],
    ids=["grpo", "gspo with a reference", "token mean, accumulated"],
)
def test_one_update_per_rollout_trains_as_the_engine_does(
    tiny_model: Path, changed: dict[str, Any]
) -> None:
    """The same rollouts, step by step: a difference in the weights would change what is sampled."""
    ours, theirs = Listener(), Listener()
    with_reference = "beta" in changed
    first = trained(tiny_model, train_policy, listener=ours, reference=with_reference, **changed)
    second = trained(
        tiny_model, grpo_trainer.train_grpo, listener=theirs, reference=with_reference, **changed
    )
    assert gap(first, start(tiny_model)) > 1e-3
    assert gap(first, second) < 1e-5
    for mine, engine in zip(ours.train, theirs.train, strict=True):
        known = {name for name in engine if with_reference or not name.startswith("train_kl")}
        assert known <= mine.keys()
        for name in (
            "train_total_rewards_mean",
            "train_average_generated_tokens",
            "train_vowels_std",
        ):
            assert mine[name] == pytest.approx(engine[name], rel=1e-5)
        assert mine["trained_tokens"] == engine["trained_tokens"]
        if with_reference:
            assert mine["train_kl"] == pytest.approx(engine["train_kl"], rel=1e-3, abs=1e-6)


def test_dr_grpo_is_not_what_the_engine_calls_so(tiny_model: Path) -> None:
    first = trained(tiny_model, train_policy, grpo_loss_type="dr_grpo", iters=1)
    second = trained(tiny_model, grpo_trainer.train_grpo, grpo_loss_type="dr_grpo", iters=1)
    moved = gap(second, start(tiny_model))
    assert moved > 1e-4
    assert gap(first, second) > 0.1 * moved


def test_several_updates_use_clipping_and_move_on(tiny_model: Path) -> None:
    one, four = Listener(), Listener()
    changed: dict[str, Any] = {"epsilon": 0.001, "iters": 2}
    first = trained(tiny_model, train_policy, listener=one, **changed)
    fourth = trained(tiny_model, train_policy, listener=four, updates=4, **changed)
    assert gap(first, fourth) > 1e-4
    assert {report["train_clip_ratio_total"] for report in one.train} == {0.0}
    assert any(report["train_clip_ratio_total"] > 0 for report in four.train)
    assert len(four.train) == len(one.train) == 2  # A step is a rollout, however often it is used.


def test_each_rollout_keeps_the_policy_it_came_from(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pi_old is stored once per rollout: the same arrays serve all of its updates."""
    seen: list[list[Any]] = []
    original = PolicyLearner.learn

    def learn(self: PolicyLearner, rollout: Any) -> Any:
        seen.append([chunk.old for chunk in rollout.chunks])
        return original(self, rollout)

    monkeypatch.setattr(PolicyLearner, "learn", learn)
    trained(tiny_model, train_policy, iters=2, updates=2, dropout=0.3)
    assert len(seen) == 4
    for first, second in ((0, 1), (2, 3)):
        assert all(a is b for a, b in zip(seen[first], seen[second], strict=True))
    assert not any(a is b for a, b in zip(seen[1], seen[2], strict=True))


def test_dropout_does_not_disturb_the_ratio(tiny_model: Path) -> None:
    """Nothing moves at a rate of 0, so nothing may be clipped, however narrow the range."""
    still, engine = Listener(), Listener()
    for listener, rate in ((still, 0.0), (engine, 0.5)):
        trained(
            tiny_model, train_policy, listener=listener, dropout=0.5, epsilon=1e-6, iters=1,
            updates=2, rate=rate,
        )  # fmt: skip
    assert still.train[0]["train_clip_ratio_total"] == 0
    assert engine.train[0]["train_clip_ratio_total"] > 0


def test_accumulated_rollouts_come_from_one_policy(tiny_model: Path) -> None:
    """However many updates follow, the first two steps sample before any of them."""
    once, often = Listener(), Listener()
    for listener, updates in ((once, 1), (often, 3)):
        trained(
            tiny_model, train_policy, listener=listener, gradient_accumulation_steps=2, iters=2,
            updates=updates,
        )  # fmt: skip
    for name in ("train_average_generated_tokens", "train_total_rewards_mean"):
        assert [report[name] for report in once.train] == [report[name] for report in often.train]
    assert once.train[1]["train_entropy_estimate"] != often.train[1]["train_entropy_estimate"]


def test_it_ends_quietly_when_the_batches_do(tiny_model: Path) -> None:
    def two_batches(**asked: Any) -> Iterator[Any]:
        batches = grpo_trainer.iterate_grpo_batches(**asked)
        for _ in range(2):
            yield next(batches)

    listener = Listener()
    trained(tiny_model, train_policy, listener=listener, iterate=two_batches, iters=9)
    assert [report["iteration"] for report in listener.train] == [1, 2]


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(tiny_model: Path) -> None:
    def endless(*, completions: list[str], **_: Any) -> list[float]:
        return [3e38 * (1 - 2 * (row % 2)) for row in range(len(completions))]

    policy = load_policy(tiny_model)
    args = arguments(grpo_loss_type="dr_grpo", max_completion_length=10, reward_weights=[0.9])
    before = start(tiny_model)
    with pytest.raises(FloatingPointError):
        train_policy(
            policy.model, None, policy.tokenizer, optim.SGD(learning_rate=1e30), rows(policy),
            reward_funcs=[endless], args=args, end_answer_token="",
        )  # fmt: skip
    after = dict(tree_flatten(policy.model.trainable_parameters()))
    assert all(bool(mx.isfinite(value).all().item()) for value in after.values())
    assert before.keys() == after.keys()


def test_numbers_below_one_are_refused(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="0 updates per rollout"):
        trained(tiny_model, train_policy, updates=0)
    with pytest.raises(ValueError, match="accumulation over 0"):
        trained(tiny_model, train_policy, gradient_accumulation_steps=0)


def test_the_objective_takes_the_engines_arguments() -> None:
    objective = objective_of(arguments(grpo_loss_type="bnpo", epsilon_high=0.28, beta=0.1))
    assert (objective.loss_type, objective.epsilon_high, objective.beta) == ("bnpo", 0.28, 0.1)
    assert not objective_of(arguments(grpo_loss_type="dr_grpo")).divides_by_std
