"""Our gradients are those of the papers: held against formulas written out sequence by sequence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx_lm_lora.trainer import grpo_trainer

from backend.engines.rl.policy.objective import Objective, centred_advantages
from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.rl.policy.rollout import Rollout
from backend.engines.rl.policy.train import PolicyLearner, objective_of
from tests.engines.rl.policy.example_batch import (
    COMPLETIONS,
    GROUPS,
    SCORES,
    Policy,
    arguments,
    fixed_rollout,
    fixed_score,
    largest,
    largest_gap,
    load_policy,
    move,
)

pytestmark = pytest.mark.engine

LIMIT = 24
GSPO = {"importance_sampling_level": "sequence"}
METHODS: dict[str, dict[str, Any]] = {
    "grpo": {},
    "gspo": GSPO,
    "dr_grpo": {"grpo_loss_type": "dr_grpo"},
    "token_mean": {"grpo_loss_type": "bnpo"},
}
SEVERAL = list(METHODS)


@pytest.fixture
def policy(tiny_model: Path) -> Policy:
    return load_policy(tiny_model)


def gradient(policy: Policy, args: Any, rollout: Rollout) -> tuple[float, dict[str, float], Any]:
    return PolicyLearner(policy.model, None, objective_of(args)).gradient(rollout)


def engine_gradient(policy: Policy, args: Any, ref_model: Any = None) -> Any:
    advantages, metrics = grpo_trainer._rollout_rewards(
        policy.batch, list(COMPLETIONS), list(GROUPS), [fixed_score], None
    )
    _, found = grpo_trainer._grpo_value_and_grad(
        nn.value_and_grad(policy.model, grpo_trainer.grpo_loss),
        policy.model,
        len(policy.batch[0]),
        batch=policy.batch,
        completions=policy.completions,
        completion_texts=list(COMPLETIONS),
        batch_indices=list(GROUPS),
        advantages=advantages,
        reward_metrics=metrics,
        beta=args.beta,
        epsilon=args.epsilon,
        epsilon_high=args.epsilon_high,
        ref_model=ref_model,
        grpo_loss_type=args.grpo_loss_type,
        importance_sampling_level=args.importance_sampling_level,
        max_tokens=args.max_completion_length,
    )
    return found


def sequence_logps(model: Any, policy: Policy, row: int) -> Any:
    """One sequence alone, unpadded, through a whole log-softmax."""
    prompt = policy.batch[0][GROUPS[row]]
    answer = policy.tokens(COMPLETIONS[row])
    logits = model(mx.array([prompt + answer[:-1]]))[0, len(prompt) - 1 :].astype(mx.float32)
    logps = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    return mx.stack([logps[at, token] for at, token in enumerate(answer)])


def by_the_paper(
    method: str, policy: Policy, old: list[mx.array], low: float, high: float
) -> tuple[float, Any]:
    """Loss and gradient from the definition, with advantages worked out by hand below."""
    scores = np.array(SCORES).reshape(2, 3)
    centred = scores - scores.mean(axis=1, keepdims=True)
    if method != "dr_grpo":
        centred = centred / (scores.std(axis=1, keepdims=True) + 1e-4)
    advantages = centred.reshape(-1)

    def loss(model: Any) -> Any:
        rows = []
        for row, advantage in enumerate(advantages.tolist()):
            ratios = mx.exp(sequence_logps(model, policy, row) - old[row])
            if method == "gspo":
                shift = sequence_logps(model, policy, row) - old[row]
                ratios = mx.exp(shift.sum() / shift.size)[None]
            kept = mx.minimum(ratios, 1 + high) if advantage > 0 else mx.maximum(ratios, 1 - low)
            gains = kept * advantage
            rows.append(gains.mean() if method in ("grpo", "gspo") else gains.sum())
        total = sum(rows[1:], start=rows[0])
        if method == "dr_grpo":
            return -total / (len(rows) * LIMIT)
        if method == "token_mean":
            return -total / sum(len(answer) for answer in old)
        return -total / len(rows)

    value, found = nn.value_and_grad(policy.model, loss)(policy.model)
    return float(value.item()), found


def logps_now(policy: Policy) -> list[mx.array]:
    rows = [sequence_logps(policy.model, policy, row) for row in range(len(COMPLETIONS))]
    mx.eval(rows)
    return rows


@pytest.mark.parametrize("method", ["grpo", "gspo", "token_mean"])
def test_the_first_update_has_the_engines_gradient(
    policy: Policy, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments(**METHODS[method])
    rollout = fixed_rollout(policy, args, monkeypatch)
    _, _, ours = gradient(policy, args, rollout)
    theirs = engine_gradient(policy, args)
    assert largest(theirs) > 1e-3
    assert largest_gap(ours, theirs) < 1e-5 * largest(theirs)


def test_with_a_reference_the_first_update_has_the_engines_gradient_too(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments(beta=0.3)
    reference = AdapterOffReference(policy.model)
    rollout = fixed_rollout(policy, args, monkeypatch, ref_model=reference)
    _, metrics, ours = gradient(policy, args, rollout)
    theirs = engine_gradient(policy, args, reference)
    assert largest_gap(ours, theirs) < 1e-5 * largest(theirs)
    assert metrics["kl"] > 0
    without = gradient(policy, arguments(), fixed_rollout(policy, arguments(), monkeypatch))[2]
    assert largest_gap(ours, without) > 1e-2 * largest(without)


@pytest.mark.parametrize("method", SEVERAL)
def test_stored_log_probabilities_change_nothing_before_the_first_update(
    policy: Policy, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments(**METHODS[method])
    _, _, without = gradient(policy, args, fixed_rollout(policy, args, monkeypatch))
    kept = fixed_rollout(policy, args, monkeypatch, keep_old=True)
    _, metrics, stored = gradient(policy, args, kept)
    assert largest_gap(without, stored) == 0
    assert metrics["clip_ratio_total"] == 0


def test_at_the_first_update_gspo_is_grpo_and_epsilon_does_nothing(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments()
    rollout = fixed_rollout(policy, args, monkeypatch, keep_old=True)
    _, _, grpo = gradient(policy, args, rollout)
    for change in (GSPO, {"epsilon": 1e-6}, {"epsilon": 0.9}, {"epsilon_high": 3.0}):
        _, _, other = gradient(policy, arguments(**change), rollout)
        assert largest_gap(grpo, other) < 1e-5 * largest(grpo), change


@pytest.mark.parametrize("method", SEVERAL)
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.1), (0.1, 0.4), (0.5, 0.02)])
def test_the_second_update_is_that_of_the_paper(
    policy: Policy, method: str, low: float, high: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments(**METHODS[method], epsilon=low, epsilon_high=high)
    rollout = fixed_rollout(policy, args, monkeypatch, keep_old=True)
    old = logps_now(policy)
    move(policy.model, seed=11, by=0.05)
    loss, _, ours = gradient(policy, args, rollout)
    expected, theirs = by_the_paper(method, policy, old, low, high)
    assert loss == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert largest_gap(ours, theirs) < 1e-4 * largest(theirs)


def test_the_second_update_tells_the_methods_apart(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    rollouts = {
        method: fixed_rollout(policy, arguments(**changed), monkeypatch, keep_old=True)
        for method, changed in METHODS.items()
    }
    move(policy.model, seed=11, by=0.05)
    for method, changed in METHODS.items():
        found[method] = gradient(policy, arguments(**changed), rollouts[method])[2]
    for first in METHODS:
        for second in METHODS:
            if first != second:
                assert largest_gap(found[first], found[second]) > 0.02 * largest(found[first])


def test_clipping_counts_what_it_stops_on_either_side(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments()
    rollout = fixed_rollout(policy, args, monkeypatch, keep_old=True)
    old = logps_now(policy)
    move(policy.model, seed=11, by=0.05)
    low, high = 0.05, 0.1
    _, metrics, narrow = gradient(policy, arguments(epsilon=low, epsilon_high=high), rollout)
    ratios = [np.exp(np.array(new - was)) for new, was in zip(logps_now(policy), old, strict=True)]
    signs = [1, 0, -1, 1, 0, -1]  # of the advantages of SCORES
    tokens = sum(len(row) for row in ratios)
    above = sum((row > 1 + high).sum() for row, sign in zip(ratios, signs, strict=True) if sign > 0)
    below = sum((row < 1 - low).sum() for row, sign in zip(ratios, signs, strict=True) if sign < 0)
    assert above > 0
    assert below > 0
    assert metrics["clip_ratio_high"] == pytest.approx(above / tokens)
    assert metrics["clip_ratio_low"] == pytest.approx(below / tokens)
    assert metrics["clip_ratio_total"] == pytest.approx((above + below) / tokens)
    _, higher, wide = gradient(policy, arguments(epsilon=low, epsilon_high=5.0), rollout)
    assert higher["clip_ratio_high"] == 0
    assert largest_gap(narrow, wide) > 1e-2 * largest(wide)


def test_dr_grpo_centres_rewards_and_divides_by_nothing() -> None:
    near = centred_advantages([0.5, 0.4, 0.3], [0, 0, 0])
    assert near == pytest.approx([0.1, 0.0, -0.1])
    mixed = centred_advantages([1.0, 10.0, 0.0, 30.0], [7, 2, 7, 2])
    assert mixed == pytest.approx([0.5, -10.0, -0.5, 10.0])


def test_scores_that_do_not_apply_and_weights_reach_dr_grpo(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the engine's own sum, where None adds nothing."""

    def partly(**_: Any) -> list[float | None]:
        return [2.0, None, math.nan, 1.0, 1.0, 1.0]

    def nothing(**_: Any) -> list[float]:
        return [0.0] * 6

    args = arguments(grpo_loss_type="dr_grpo", reward_weights=[0.5, 9.0])
    rollout = fixed_rollout(policy, args, monkeypatch, scores=[partly, nothing])
    advantages = np.concatenate([np.array(chunk.advantages) for chunk in rollout.chunks])
    assert advantages == pytest.approx([2 / 3, -1 / 3, -1 / 3, 0, 0, 0], abs=1e-6)
    assert rollout.metrics["partly_coverage"] == pytest.approx(4 / 6)


def test_dr_grpo_gives_a_long_completion_the_same_weight_per_token(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GRPO divides by each completion's length: the bias that the method is named for removing."""
    for method, expected in (("dr_grpo", 1.0), ("grpo", 18 / 3)):
        rollout = fixed_rollout(policy, arguments(**METHODS[method]), monkeypatch)
        weights = np.concatenate([np.array(chunk.weights).max(axis=1) for chunk in rollout.chunks])
        assert weights[4] / weights[5] == pytest.approx(expected)  # "sea" and the longest one


def test_the_entropy_estimate_is_the_mean_surprise_of_the_tokens(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, metrics, _ = gradient(policy, arguments(), fixed_rollout(policy, arguments(), monkeypatch))
    surprises = np.concatenate([-np.array(row) for row in logps_now(policy)])
    assert metrics["entropy_estimate"] == pytest.approx(float(surprises.mean()), rel=1e-4)
    assert "kl" not in metrics


def test_an_objective_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="nope"):
        Objective(loss_type="nope")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="word"):
        Objective(level="word")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        Objective(max_tokens=0)
