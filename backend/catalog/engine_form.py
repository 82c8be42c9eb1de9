"""A row in the form the engine is given it: its own three forms as they are, others rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.catalog.conversation import Unsuitable, read_row, write_row
from backend.catalog.formats import Format

ENGINE_FORMS = ("text", "chat", "completions")


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
        return write_row(read_row(row, form), "chat")
    except Unsuitable:
        return None
