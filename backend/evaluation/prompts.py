"""How the rows of an adapter ask: their system prompt, and prompts that were held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from backend.data.readers.data_file import read_lines
from backend.data.rows.first_question import first_question
from backend.data.rows.system_texts import SystemTexts
from backend.errors import AppError, NotFound
from backend.evaluation.rows import held_out_file
from backend.evaluation.schemas import AdapterPrompts

_ROWS = 500  # Of a long file the first rows say enough, and a page waits for the answer.
FEW_PROMPTS = 3


def prompts_of(data: Path | None, *, limit: int = FEW_PROMPTS) -> AdapterPrompts:
    """Of the rows in a run's data folder, null and empty where there are none."""
    return AdapterPrompts(
        system=_system(data / "train.jsonl") if data else None, **_held_out(data, limit)
    )


def _system(train: Path) -> str | None:
    texts = SystemTexts()
    for row in _rows(train):
        texts.add(row)
    return texts.common()


def _held_out(data: Path | None, limit: int) -> dict[str, Any]:
    try:
        path = held_out_file(data)
    except NotFound:
        return {"prompts": [], "source": None}
    prompts = dict.fromkeys(
        text for row in _rows(path) if (text := first_question(row)) is not None
    )
    return {"prompts": list(islice(prompts, limit)), "source": path.name}


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        for line in islice(read_lines(path), _ROWS):
            if line.row is not None:
                yield line.row
    except (OSError, AppError):
        return
