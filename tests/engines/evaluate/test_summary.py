"""What is shown of an evaluation: only what was measured, and differences of the same rows."""

from __future__ import annotations

import math
from typing import Any

import pytest

from backend.contract.jobs.evaluation import Estimate, GivenAnswer, MetricResult
from backend.engines.evaluate.summary import LOSS, PERPLEXITY, answer_to, score_answer, summarise


def by_id(found: list[MetricResult]) -> dict[str, MetricResult]:
    return {entry.id: entry for entry in found}


def mean(found: Estimate | None) -> float:
    assert found is not None
    return found.mean


def answered(text: str, expected: str = "four", **more: Any) -> GivenAnswer:
    row = answer_to(text=text, **more)
    score_answer(row, expected, ["exact_match", "length"])
    return row


def test_only_the_chosen_metrics_are_measured() -> None:
    row = answered("four")
    assert row.metrics == {"exact_match": 1.0, "length": 1.0}
    found = by_id(summarise([[row]], ["exact_match"]))
    assert list(found) == ["exact_match"]


def test_two_sides_are_compared_row_by_row() -> None:
    base = [answered("no"), answered("four"), answered("no")]
    tuned = [answered("four"), answered("four"), answered("no")]
    found = by_id(summarise([base, tuned], ["exact_match", "length"]))["exact_match"]
    assert [mean(value) for value in found.values] == pytest.approx([1 / 3, 2 / 3])
    assert mean(found.difference) == pytest.approx(1 / 3)
    assert found.difference is not None and found.difference.rows == 3


def test_a_row_that_was_not_answered_has_no_score_and_is_not_counted() -> None:
    lost = answer_to(problem="The prompt is too long.")
    score_answer(lost, "four", ["exact_match"])
    found = by_id(summarise([[lost, answered("four")]], ["exact_match"]))["exact_match"]
    assert found.values == (Estimate(mean=1.0, low=None, high=None, rows=1),)
    assert by_id(summarise([[lost]], ["exact_match"]))["exact_match"].values == (None,)


def test_perplexity_is_e_to_the_loss_over_rows_that_all_sides_have() -> None:
    base = [
        answer_to(loss=4.0, tokens=2),
        answer_to(loss=9.0, tokens=3),
        answer_to(problem="refused"),
    ]
    tuned = [
        answer_to(loss=2.0, tokens=2),
        answer_to(problem="refused"),
        answer_to(loss=1.0, tokens=1),
    ]
    found = by_id(summarise([base, tuned], [LOSS, PERPLEXITY]))
    assert [mean(value) for value in found[LOSS].values] == [2.0, 1.0]
    assert [mean(value) for value in found[PERPLEXITY].values] == pytest.approx([math.e**2, math.e])
    assert mean(found[LOSS].difference) == -1.0
    assert mean(found[PERPLEXITY].ratio) == pytest.approx(1 / math.e)


def test_a_perplexity_beyond_any_number_is_unknown() -> None:
    found = by_id(summarise([[answer_to(loss=5000.0, tokens=1)]], [LOSS, PERPLEXITY]))
    assert mean(found[LOSS].values[0]) == 5000
    assert found[PERPLEXITY].values == (None,)


def test_without_an_expected_answer_only_the_answer_itself_is_measured() -> None:
    row = answer_to(text="four is it")
    score_answer(row, None, ["exact_match", "valid_json", "length", "repetition"])
    assert row.metrics == {"length": 3.0, "repetition": None}
