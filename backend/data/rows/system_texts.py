"""The system prompt that the rows of a file begin with, whichever form they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

_OPENING = ("system", "developer")
_MOST_TEXTS = 64  # A file with another prompt in every row has none in common.


def system_of(row: Mapping[str, Any]) -> str | None:
    """What stands before the conversation of a row; None where there is nothing."""
    turns = row.get("messages")
    if not isinstance(turns, list):
        turns = row.get("prompt")
    text: Any = row.get("system")
    if isinstance(turns, list) and turns and isinstance(turns[0], Mapping):
        text = turns[0].get("content") if turns[0].get("role") in _OPENING else text
    return text if isinstance(text, str) and text.strip() else None


class SystemTexts:
    """Counts system prompts row by row."""

    def __init__(self) -> None:
        self._texts: Counter[str | None] = Counter()
        self._rows = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self._rows += 1
        text = system_of(row)
        if text in self._texts or len(self._texts) < _MOST_TEXTS:
            self._texts[text] += 1

    def common(self) -> str | None:
        """The one that more than half of the rows have."""
        text, rows = next(iter(self._texts.most_common(1)), (None, 0))
        return text if 2 * rows > self._rows else None
