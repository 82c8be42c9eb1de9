"""Which part of a row is asked, and which is the expected answer."""

from __future__ import annotations

from typing import Any

from backend.engines.evaluate.questions import Question, question_of


def says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_the_last_answer_of_a_conversation_is_asked_for() -> None:
    talk = [says("user", "a"), says("assistant", "b"), says("user", "c"), says("assistant", "d")]
    assert question_of({"messages": talk}) == Question(messages=talk[:3], expected="d")


def test_words_after_the_last_answer_are_left_out() -> None:
    talk = [says("user", "a"), says("assistant", "b"), says("user", "thanks")]
    assert question_of({"messages": talk}) == Question(messages=talk[:1], expected="b")


def test_prompts_with_a_completion_or_an_answer_are_questions() -> None:
    asked = [says("user", "2 + 2?")]
    assert question_of({"prompt": "2 + 2?", "completion": "4"}) == Question(
        messages=asked, expected="4"
    )
    assert question_of({"prompt": "2 + 2?", "answer": "4", "system": "Be brief."}) == Question(
        messages=[says("system", "Be brief."), *asked], expected="4"
    )


def test_rows_that_ask_nothing_are_none() -> None:
    rows: tuple[dict[str, Any], ...] = (
        {"text": "Once upon a time"},
        {"messages": []},
        {"messages": [says("user", "hello?")]},
        {"messages": ["not a message", says("assistant", " ")]},
        {"prompt": "a", "completion": ""},
        {"prompt": "a", "completion": 4},
    )
    assert [question_of(row) for row in rows] == [None] * len(rows)


def test_a_prompt_without_an_answer_is_a_question_that_expects_none() -> None:
    assert question_of({"prompt": "2 + 2?", "system": "Be brief."}) == Question(
        messages=[says("system", "Be brief."), says("user", "2 + 2?")], expected=None
    )
