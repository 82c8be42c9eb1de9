"""The first question of a row, where it opens the conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.data.rows.system_texts import system_of

LONGEST = 4000  # A prompt that is pressed stands in a small box; longer texts are no examples.


def first_question(row: Mapping[str, Any]) -> str | None:
    """What the user asks first; None for plain text, an empty question or one that is too long."""
    turns = row.get("messages", row.get("prompt"))
    if isinstance(turns, str):
        text: Any = turns
    elif isinstance(turns, list):
        opening = turns[1 if system_of(row) is not None and _opens(turns) else 0 :][:1]
        asks = opening and isinstance(opening[0], Mapping) and opening[0].get("role") == "user"
        text = opening[0].get("content") if asks else None
    else:
        text = None
    fits = isinstance(text, str) and text.strip() and len(text) <= LONGEST
    return text if fits else None


def _opens(turns: list[Any]) -> bool:
    return isinstance(turns[0], Mapping) and turns[0].get("role") != "user"
