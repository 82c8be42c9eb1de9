"""A row in the form the engine is given it: its own three forms as they are, others rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.data.rows.conversation import Unsuitable, read_row, write_row
from backend.data.rows.formats import Format, check

ENGINE_FORMS = ("text", "chat", "completions")


def given_form(form: Format) -> Format:
    """What rows of that form are once the engine is given them: the others become chats."""
    return form if form in ENGINE_FORMS else "chat"


def engine_form(row: Mapping[str, Any], form: Format) -> dict[str, Any] | None:
    """The columns that are trained on. Of a preference row it is the chosen answer; None where a
    row has no such form.
    """
    if form == "text":
        return {"text": row["text"]}
    if form == "chat":
        tools = row.get("tools")
        return {"messages": row["messages"], **({"tools": tools} if tools else {})}
    if form == "completions":
        tools = row.get("tools")
        both = {"prompt": row["prompt"], "completion": row["completion"]}
        return {**both, **({"tools": tools} if tools else {})}
    try:
        return trainable(row, form)
    except Unsuitable:
        return None


def check_trainable(row: Mapping[str, Any], form: Format) -> str | None:
    """As `formats.check`, and also what keeps the row from becoming one the engine can use."""
    wrong = check(row, form)
    if wrong or form in ENGINE_FORMS:
        return wrong
    try:
        trainable(row, form)
    except Unsuitable as problem:
        return str(problem)
    return None


def trainable(row: Mapping[str, Any], form: Format) -> dict[str, Any]:
    """A row that passed `formats.check`, as the chat it becomes. Raises Unsuitable."""
    written = write_row(read_row(row, form), "chat")
    wrong = check(written, "chat")
    if wrong:
        raise Unsuitable(f"{wrong} once it is written as a conversation")
    return written
