"""The scores of an answer, each against values worked out by hand."""

from __future__ import annotations

import pytest

from backend.engines.evaluate.metrics import (
    METRICS,
    Metric,
    answer_f1,
    exact_match,
    number_match,
    repetition,
    rouge_l,
    valid_json,
)


def test_an_exact_match_overlooks_case_articles_and_punctuation() -> None:
    assert exact_match("The harbour.", "harbour") == 1
    assert exact_match("harbours", "harbour") == 0


def test_thoughts_before_the_answer_do_not_count() -> None:
    said = "<think>9 and 6 is 14, no, 15</think><answer>15</answer>"
    assert exact_match(said, "15") == 1
    assert number_match(said, "15") == 1


def test_token_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # Three words said, two expected, two shared: P = 2/3, R = 1.
    assert answer_f1("red blue green", "blue red") == pytest.approx(0.8)


def test_rouge_l_follows_the_order_of_words() -> None:
    assert rouge_l("one two three", "one two three") == 1
    # The longest common subsequence of a b c and c a b is a b: P = R = 2/3.
    assert rouge_l("c a b", "a b c") == pytest.approx(2 / 3)
    assert rouge_l("", "a b c") == 0


def test_json_is_asked_for_only_where_json_is_expected() -> None:
    assert valid_json('{"a": 1}', '{"b": 2}') == 1
    assert valid_json("```json\n[1]\n```", "[2]") == 1
    assert valid_json("{a: 1}", '{"b": 2}') == 0
    assert valid_json('{"a": 1}', "plain words") is None


def test_numbers_are_compared_as_values() -> None:
    assert number_match("It is 1,250.0 in all.", "1250") == 1
    assert number_match("no idea", "7") == 0
    assert number_match("7", "seven") is None


def test_repetition_counts_runs_of_four_words_said_before() -> None:
    assert repetition("a b c d e", "") == 0
    # a b c d a b c d has five runs of four, of which the last repeats the first.
    assert repetition("a b c d a b c d", "") == pytest.approx(1 / 5)
    assert repetition("too short", "") is None


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.id)
def test_a_perfect_answer_gets_the_best_value_and_an_odd_one_no_error(metric: Metric) -> None:
    perfect = '{"total": 12, "of": "the four crates by the door"}'
    if metric.best is not None:
        assert metric.measure(perfect, perfect) == metric.best
    for odd in ("", "\x00", '"""\\', "🙂" * 1000, "<answer>"):
        value = metric.measure(odd, perfect)
        assert value is None or value >= 0
