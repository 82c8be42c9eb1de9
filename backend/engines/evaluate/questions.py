"""A data row as a question with its expected answer, for whichever form the row has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`messages` lead up to the answer; `expected` is what the row answers itself, None of a
    prompt that is asked without one.
    """

    messages: list[dict[str, Any]]
    expected: str | None


def question_of(row: Mapping[str, Any]) -> Question | None:
    """None for a row that asks nothing: plain text, or a conversation without an answer.

    Of a conversation, the last answer is what is asked for and everything before it is given.
    """
    if isinstance(row.get("messages"), list):
        return _of_messages(row["messages"])
    prompt, expected = row.get("prompt"), row.get("completion", row.get("answer"))
    if not isinstance(prompt, str):
        return None
    without = "completion" not in row and "answer" not in row
    if not without and (not isinstance(expected, str) or not expected.strip()):
        return None
    system = row.get("system")
    first = [{"role": "system", "content": system}] if isinstance(system, str) and system else []
    return Question(messages=[*first, {"role": "user", "content": prompt}], expected=expected)


def _of_messages(messages: list[Any]) -> Question | None:
    for at in range(len(messages) - 1, 0, -1):
        message = messages[at]
        if not isinstance(message, Mapping) or message.get("role") != "assistant":
            continue
        content = message.get("content")
        if isinstance(content, str) and content.strip():
            return Question(messages=[dict(m) for m in messages[:at]], expected=content)
    return None
