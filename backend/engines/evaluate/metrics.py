"""What one answer is worth against the expected one: plain text in, a number out, no engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from rouge_score.rouge_scorer import RougeScorer

from backend.contract.jobs.evaluation import Better, MetricId
from backend.contract.thoughts import answer_of
from backend.engines.rewards.answer_text import (
    answer_part,
    count_words,
    last_number,
    parse_json,
    same_answer,
    token_f1,
)

_REPEATED = 4  # Words per n-gram of `repetition`.
_TOLERANCE = 1e-6

# (answer, expected) → the value, or None where it says nothing about this row.
Measure = Callable[[str, str], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One score of an answer. `best` is the value of a perfect one, None where there is none."""

    id: MetricId
    name: str
    help: str
    source: str
    better: Better
    best: float | None
    measure: Measure


def exact_match(text: str, expected: str) -> float:
    """1 when both are the same once normalised, else 0."""
    return float(same_answer(answer_part(text), answer_part(expected)))


def answer_f1(text: str, expected: str) -> float:
    """F1 over the bag of words, 0 to 1."""
    return token_f1(answer_part(text), answer_part(expected))


def rouge_l(text: str, expected: str) -> float:
    """F-measure of the longest common subsequence of words, 0 to 1."""
    return float(_rouge().score(answer_of(expected), answer_of(text))["rougeL"].fmeasure)


def valid_json(text: str, expected: str) -> float | None:
    """1 when the answer is JSON, else 0; None where the expected answer is none either."""
    return None if not _is_json(answer_part(expected)) else float(_is_json(answer_part(text)))


def number_match(answer: str, expected: str) -> float | None:
    """1 when the last numbers agree, else 0; None where the expected answer has no number."""
    target, number = last_number(answer_part(expected)), last_number(answer_part(answer))
    if target is None:
        return None
    near = _TOLERANCE * max(1.0, abs(target))
    return float(number is not None and abs(number - target) <= near)


def length(text: str, _expected: str) -> float:
    """The answer's length in words, without its thoughts."""
    return float(count_words(answer_of(text)))


def repetition(text: str, _expected: str) -> float | None:
    """Share of the answer's 4-grams of words that it has already said, 0 to 1; None if it has none.

    1 − |distinct 4-grams| / |4-grams|: seq-rep-4 of Welleck et al. 2020 (arXiv:1908.04319).
    """
    words = answer_of(text).split()
    grams = [tuple(words[i : i + _REPEATED]) for i in range(len(words) - _REPEATED + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None


METRICS: Sequence[Metric] = (
    Metric(
        id="exact_match",
        name="Exact match",
        help="Share of answers that are the expected one, apart from case, punctuation, articles "
        "and spaces.",
        source="SQuAD 1.1 evaluation script (Rajpurkar et al. 2016, arXiv:1606.05250)",
        better="higher",
        best=1.0,
        measure=exact_match,
    ),
    Metric(
        id="token_f1",
        name="Token F1",
        help="How many words an answer shares with the expected one.",
        source="SQuAD 1.1 evaluation script (Rajpurkar et al. 2016, arXiv:1606.05250)",
        better="higher",
        best=1.0,
        measure=answer_f1,
    ),
    Metric(
        id="rouge_l",
        name="ROUGE-L",
        help="The longest run of words, gaps allowed, that an answer has in common with the "
        "expected one, as an F-measure.",
        source="Lin 2004, as computed by the rouge-score package, without stemming",
        better="higher",
        best=1.0,
        measure=rouge_l,
    ),
    Metric(
        id="number_match",
        name="Number match",
        help="Share of answers whose last number is the expected one; rows without a number in "
        "the expected answer don't count.",
        source="The last number in the text, as GSM8K's scoring does (Cobbe et al. 2021, "
        "arXiv:2110.14168)",
        better="higher",
        best=1.0,
        measure=number_match,
    ),
    Metric(
        id="valid_json",
        name="Valid JSON",
        help="Share of answers that are JSON, over the rows whose expected answer is.",
        source="RFC 8259, parsed by Python's json module; NaN and Infinity are not JSON",
        better="higher",
        best=1.0,
        measure=valid_json,
    ),
    Metric(
        id="length",
        name="Length",
        help="Words per answer. Not a quality metric.",
        source="Counted at white space",
        better="neither",
        best=None,
        measure=length,
    ),
    Metric(
        id="repetition",
        name="Repetition",
        help="Share of an answer's runs of four words that it has said before.",
        source="seq-rep-4 (Welleck et al. 2020, arXiv:1908.04319)",
        better="lower",
        best=0.0,
        measure=repetition,
    ),
)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True


@cache
def _rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)
