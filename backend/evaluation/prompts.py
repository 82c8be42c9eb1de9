"""How the rows of an adapter ask: their system prompt, and prompts that were held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from backend.data.readers.data_file import read_lines
from backend.data.rows.system_texts import SystemTexts, system_of
from backend.errors import AppError, NotFound
from backend.evaluation.rows import held_out_file
from backend.evaluation.schemas import AdapterPrompts

_ROWS = 500  # Of a long file the first rows say enough, and a page waits for the answer.
_PROMPTS = 3
_LONGEST = 4000  # A prompt that is pressed stands in a small box; longer texts are no examples.


def prompts_of(data: Path | None) -> AdapterPrompts:
    """Of the rows in a run's data folder, null and empty where there are none."""
    return AdapterPrompts(system=_system(data / "train.jsonl") if data else None, **_held_out(data))


def _system(train: Path) -> str | None:
    texts = SystemTexts()
    for row in _rows(train):
        texts.add(row)
    return texts.common()


def _held_out(data: Path | None) -> dict[str, Any]:
    try:
        path = held_out_file(data)
    except NotFound:
        return {"prompts": [], "source": None}
    prompts = dict.fromkeys(text for row in _rows(path) if (text := _prompt(row)) is not None)
    return {"prompts": list(islice(prompts, _PROMPTS)), "source": path.name}


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        for line in islice(read_lines(path), _ROWS):
            if line.row is not None:
                yield line.row
    except (OSError, AppError):
        return


def _prompt(row: Mapping[str, Any]) -> str | None:
    """The first question of a row, where it opens the conversation."""
    turns = row.get("messages", row.get("prompt"))
    if isinstance(turns, str):
        text: Any = turns
    elif isinstance(turns, list):
        opening = turns[1 if system_of(row) is not None and _opens(turns) else 0 :][:1]
        asks = opening and isinstance(opening[0], Mapping) and opening[0].get("role") == "user"
        text = opening[0].get("content") if asks else None
    else:
        text = None
    fits = isinstance(text, str) and text.strip() and len(text) <= _LONGEST
    return text if fits else None


def _opens(turns: list[Any]) -> bool:
    return isinstance(turns[0], Mapping) and turns[0].get("role") != "user"
