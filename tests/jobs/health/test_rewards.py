"""Rewards that teach nothing."""

from __future__ import annotations

import pytest

from tests.jobs.health.runs import reports, watch

ZERO = [0.0] * 4


def test_equal_rewards_leave_nothing_to_learn_from() -> None:
    history = reports(ZERO, every=1, group_reward_std=ZERO, avg_reward=[0.5] * 4)
    run = watch(history, family="reward", temperature=0.8, group_size=4)

    (alert,) = run.alerts
    assert (alert.code, alert.level, alert.step) == ("equal_rewards", "error", 3)
    assert "(0.5 on average)" in alert.message
    assert alert.fix == {"temperature": 1.1}


def test_a_hot_run_gets_a_larger_group() -> None:
    history = reports(ZERO, group_reward_std=ZERO)
    run = watch(history, family="reward", temperature=1.0, group_size=12)
    assert run.alerts[0].fix == {"group_size": 16}


def test_one_batch_of_easy_prompts_is_no_fault() -> None:
    spread = [0.3, 0.0, 0.0, 0.2, 0.0, 0.4]
    assert watch(reports([0.0] * 6, every=1, group_reward_std=spread), family="reward").codes == []


def test_a_condition_that_passes_lifts_the_verdict() -> None:
    spread = [0.0, 0.0, 0.0, 0.2]
    run = watch(reports(ZERO, every=1, group_reward_std=spread), family="reward")
    assert run.verdicts == [None, None, "act", "healthy"]


def test_completions_that_all_reach_the_limit_get_more_room() -> None:
    history = reports(ZERO, hit_max_tokens_ratio=[1.0] * 4)
    run = watch(history, family="reward", max_completion_length=64)

    assert run.codes == ["completions_cut"]
    assert "cut at 64 tokens" in run.alerts[0].message
    assert run.alerts[0].fix == {"max_completion_length": 128}


@pytest.mark.parametrize(("kl", "codes"), [([0.3] * 4, []), ([8.0] * 4, ["kl_high"])])
def test_a_policy_far_from_its_reference_is_told(kl: list[float], codes: list[str]) -> None:
    assert watch(reports(ZERO, kl=kl), family="reward").codes == codes
