"""One row in another form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.data.rows.conversation import (
    Conversation,
    Unsuitable,
    read_row,
    shortened,
    with_system,
    write_row,
)
from backend.data.rows.formats import Format, check
from backend.data.rows.preference_pairs import plain_pair
from backend.data.rows.solutions import behind
from backend.data.schemas import DataForm


def convert_row(
    row: Mapping[str, Any],
    form: Format,
    to: DataForm,
    *,
    system: str | None = None,
    answer_after: str | None = None,
    first_exchange: bool = False,
) -> dict[str, Any]:
    """Raises Unsuitable. What is written passes the check of its form.

    `answer_after` keeps of an answer what stands behind the last such mark; `first_exchange` keeps
    of a longer conversation its first question and answer.
    """
    row = plain_pair(row)
    wrong = check(row, form)
    if wrong:
        raise Unsuitable(wrong)
    said = with_system(read_row(row, form), system)
    if first_exchange:
        said = shortened(said)
    written = write_row(_with_rejected(said, row), to)
    if to == "grpo":
        written = _checkable(written, row, answer_after)
    wrong = check(written, to)
    if wrong:
        raise Unsuitable(f"{wrong} once it is written as {to}")
    return written


def _checkable(
    written: dict[str, Any], row: Mapping[str, Any], answer_after: str | None
) -> dict[str, Any]:
    """A prompt/answer row with what reward functions may need: the bare answer, and the type."""
    if answer_after:
        answer = behind(written["answer"], answer_after)
        if answer is None:
            raise Unsuitable(f"has no {answer_after[:40]!r} in its answer")
        written["answer"] = answer
    return {**written, "type": row["type"]} if row.get("type") is not None else written


def _with_rejected(said: Conversation, row: Mapping[str, Any]) -> Conversation:
    """An SFT row may have a column with a worse answer beside the good one."""
    rejected = row.get("rejected")
    if said.rejected is not None or not isinstance(rejected, str) or not rejected.strip():
        return said
    return Conversation(said.messages, said.tools, rejected, said.text)
