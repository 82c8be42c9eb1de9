"""The end of an answer knows how to set its thoughts apart."""

from __future__ import annotations

from dataclasses import replace

from backend.contract.answers import AnswerEnd, AnswerStats

STATS = AnswerStats(
    prompt_tokens=3, completion_tokens=2, cached_tokens=0, first_token_seconds=None,
    tokens_per_second=None, model_load_seconds=0.0, swap_seconds=0.0, finish_reason="length",
)  # fmt: skip


def test_marks_that_the_model_names_set_thoughts_apart() -> None:
    end = AnswerEnd(stats=STATS, thought_marks=(("<muse>", "</muse>"),))

    parts = end.split("<muse>Well</muse>Yes")

    assert (parts.thoughts, parts.answer) == ("Well", "Yes")


def test_thoughts_that_the_prompt_opened_end_with_their_mark() -> None:
    opened = replace(AnswerEnd(stats=STATS), thoughts_opened="<think>")

    assert opened.split("Well</think>Yes").answer == "Yes"
