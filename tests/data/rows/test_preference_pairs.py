"""Preference rows of messages, unpacked into texts."""

from __future__ import annotations

from typing import Any

import pytest

from backend.data.rows.conversation import Unsuitable
from backend.data.rows.conversion import convert_row
from backend.data.rows.preference_pairs import plain_pair

USER = {"role": "user", "content": "Q"}
GOOD = {"role": "assistant", "content": "good"}
BAD = {"role": "assistant", "content": "bad"}
SYSTEM = {"role": "system", "content": "S"}
PLAIN = {"prompt": "Q", "chosen": "good", "rejected": "bad"}


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        ({"chosen": [USER, GOOD], "rejected": [USER, BAD]}, PLAIN),
        ({"prompt": "Q", "chosen": [USER, GOOD], "rejected": [USER, BAD]}, PLAIN),
        ({"prompt": "Q", "chosen": [GOOD], "rejected": [BAD]}, PLAIN),
        ({"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]}, PLAIN),
        ({"prompt": "Q", "chosen": GOOD, "rejected": BAD}, PLAIN),
        ({"chosen": {"messages": [USER, GOOD]}, "rejected": {"messages": [USER, BAD]}}, PLAIN),
        (
            {"chosen": [SYSTEM, USER, GOOD], "rejected": [SYSTEM, USER, BAD]},
            {**PLAIN, "system": "S"},
        ),
        (PLAIN, PLAIN),
        ({"text": "x"}, {"text": "x"}),
        ({"prompt": "Q", "chosen": [], "rejected": [1]},) * 2,
    ],
)
def test_a_pair_of_messages_becomes_a_pair_of_texts(
    row: dict[str, Any], plain: dict[str, Any]
) -> None:
    assert plain_pair(row) == plain


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"chosen": [USER, GOOD], "rejected": [SYSTEM, BAD]}, "different conversations"),
        ({"chosen": [USER], "rejected": [USER]}, "does not end with an answer"),
        ({"chosen": [GOOD], "rejected": [BAD]}, "no question before"),
    ],
)
def test_what_is_no_single_question_is_told(row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Unsuitable, match=sentence):
        plain_pair(row)


def test_a_pair_at_the_end_of_a_conversation_keeps_it_and_converts_back() -> None:
    row = {"chosen": [SYSTEM, USER, GOOD, USER, GOOD], "rejected": [SYSTEM, USER, GOOD, USER, BAD]}
    plain = {"prompt": [USER, GOOD, USER], "chosen": "good", "rejected": "bad", "system": "S"}

    assert plain_pair(row) == plain
    assert convert_row(row, "preference", "preference") == plain
    assert convert_row(row, "preference", "chat")["messages"] == row["chosen"]
    # Cutting to the first exchange would set the worse answer beside another question.
    assert convert_row(row, "preference", "preference", first_exchange=True) == plain


def test_such_rows_are_converted_to_plain_ones() -> None:
    row = {"chosen": [USER, GOOD], "rejected": [USER, BAD]}

    assert convert_row(row, "preference", "preference") == PLAIN
    assert convert_row(row, "preference", "grpo") == {"prompt": "Q", "answer": "good"}
