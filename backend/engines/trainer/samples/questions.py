"""A sample prompt as tokens: asked as the run's own rows ask."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

_ROWS = 500  # Enough to know how a file asks.
_OPENING = ("system", "developer")


@dataclass(frozen=True, slots=True)
class RowStyle:
    """How the rows of a run ask: in a chat or as plain text, and with which system text, if more
    than half of them have the same.
    """

    chat: bool
    system: str | None

    @classmethod
    def of(cls, data: Path) -> RowStyle:
        rows = list(_rows(data / "train.jsonl"))
        systems = Counter(_system(row) for row in rows)
        system, count = next(iter(systems.most_common(1)), (None, 0))
        return cls(
            chat=any("text" not in row for row in rows),
            system=system if 2 * count > len(rows) else None,
        )

    def messages(self, prompt: str) -> list[dict[str, str]]:
        opening = [{"role": "system", "content": self.system}] if self.system else []
        return [*opening, {"role": "user", "content": prompt}]


def question_tokens(tokenizer: Any, prompt: str, style: RowStyle) -> list[int]:
    """By the chat template where rows have one, else the text as it is."""
    if style.chat and tokenizer.has_chat_template:
        messages = style.messages(prompt)
        return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True))
    begins = tokenizer.bos_token is not None and prompt.startswith(tokenizer.bos_token)
    return list(tokenizer.encode(prompt, add_special_tokens=not begins))


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from islice((json.loads(line) for line in lines if line.strip()), _ROWS)


def _system(row: Mapping[str, Any]) -> str | None:
    turns = row.get("messages", row.get("prompt"))
    if isinstance(turns, list) and turns and turns[0].get("role") in _OPENING:
        text = turns[0].get("content")
    else:
        text = row.get("system")
    return text if isinstance(text, str) and text.strip() else None
