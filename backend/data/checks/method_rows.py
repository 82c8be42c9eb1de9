"""What a training method needs of a row, and rows as the engine gets them for it.

The engine reads rows without looking: a missing answer is a KeyError in the middle of loading, a
null system message reaches the chat template. What it would stumble over is said here, by line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from backend.data.readers.data_file import data_file, read_lines
from backend.data.rows.conversation import Unsuitable
from backend.data.rows.conversion import convert_row
from backend.data.rows.engine_form import check_trainable
from backend.data.rows.formats import Format, check, conversation_problem, file_form
from backend.data.rows.preference_pairs import pair_problem
from backend.data.rows.readings import Readings
from backend.data.rows.turns import is_blank
from backend.errors import AppError, BadContent, FieldProblem

DataNeeds = Literal["sft", "prompt_answer", "preference", "prompt", "next_token"]
Need = Literal["answer", "type"]  # Columns that a reward function may need besides.
NEEDED: Mapping[DataNeeds, str] = {
    "sft": "text, messages, or prompt and completion",
    "prompt_answer": "prompt and answer",
    "preference": "prompt, chosen and rejected",
    "prompt": "prompt",
    "next_token": "context_with_chat_template, rejected_decoded and multi_chosen_decoded",
}
_NEXT_TOKEN = ("context_with_chat_template", "rejected_decoded", "multi_chosen_decoded")
_LOOKED_AT = 2000  # Lines in which rows for a try are looked for.


def check_row(row: Mapping[str, Any], needs: DataNeeds, form: Format) -> str | None:
    """What is wrong with a row for such a method, to follow "Line 7 …"; None when it is fine.

    `form` is the file's, which only supervised methods go by.
    """
    if needs == "sft":
        return check_trainable(row, form)
    if needs == "prompt_answer":
        return check(row, "grpo")
    if needs == "preference":
        return _pair(row)
    return _prompt(row) if needs == "prompt" else _next_token(row)


def engine_row(row: Mapping[str, Any], needs: DataNeeds) -> dict[str, Any]:
    """The columns that the engine reads of a checked row, without those that are null or empty."""
    names = {
        "prompt_answer": ("prompt", "answer", "system", "type"),
        "preference": ("prompt", "chosen", "rejected", "system", "preference_score"),
        # Its own answer is never trained on; reward functions that judge may compare with it.
        "prompt": ("prompt", "answer", "type"),
        "next_token": _NEXT_TOKEN,
    }.get(needs)
    if names is None:
        return dict(row)
    found = {name: row[name] for name in names if row.get(name) not in (None, "")}
    if needs == "prompt" and row.get("system") and isinstance(row["prompt"], str):
        found["prompt"] = [
            {"role": "system", "content": row["system"]},
            {"role": "user", "content": row["prompt"]},
        ]
    return found


def _pair(row: Mapping[str, Any]) -> str | None:
    wrong = pair_problem(row) or check(row, "preference")
    if wrong:
        return wrong
    score = row.get("preference_score")
    if score is not None and (
        not isinstance(score, int | float) or isinstance(score, bool) or not math.isfinite(score)
    ):
        return "has a 'preference_score' that is not a number"
    return None


def _prompt(row: Mapping[str, Any]) -> str | None:
    prompt = row.get("prompt")
    if "prompt" not in row:
        return "has no 'prompt'"
    if isinstance(prompt, str):
        return "has an empty 'prompt'" if is_blank(prompt) else None
    return conversation_problem(prompt)


def _next_token(row: Mapping[str, Any]) -> str | None:
    """A space is a token too, so only nothing at all is empty."""
    context, rejected, chosen = (row.get(name) for name in _NEXT_TOKEN)
    for name in _NEXT_TOKEN:
        if name not in row:
            return f"has no {name!r}"
    for name, value in (("context_with_chat_template", context), ("rejected_decoded", rejected)):
        if not isinstance(value, str) or not value:
            return f"has a {name!r} that is not a text"
    if not isinstance(chosen, list) or not all(isinstance(one, str) and one for one in chosen):
        return "has a 'multi_chosen_decoded' that is not a list of texts"
    if set(chosen) <= {rejected}:
        return "has no 'multi_chosen_decoded' that differs from its 'rejected_decoded'"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A row as a reward function sees it, and the line it is in."""

    line: int
    prompt: str
    answer: str
    type: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    format: Format
    samples: tuple[Sample, ...]
    notes: tuple[str, ...]


def first_samples(given: str, most: int) -> Samples:
    """The first good rows of a file of any form, as prompts and answers.

    Raises NotFound or BadContent, the latter also when no row has both.
    """
    try:
        path = _file(given)
        found: list[Sample] = []
        form: Format | None = None
        problem: str | None = None
        bad = 0
        readings = Readings()
        for line in islice(read_lines(path), _LOOKED_AT):
            if line.row is None and line.problem is None:
                continue
            try:
                if line.row is None:
                    raise Unsuitable(str(line.problem))
                form = file_form(form, line.row)
                found.append(_sample(line.number, line.row, form))
                readings.add(line.number, line.readings)
            except Unsuitable as unsuitable:
                bad += 1
                problem = problem or f"Line {line.number} {unsuitable}."
            if len(found) == most:
                break
    except OSError as failed:
        raise _named(BadContent(f"{given} can't be read: {failed.strerror}.")) from failed
    if not found or form is None:
        raise _named(
            BadContent(
                f"No row of {path.name} has a prompt and an answer. {problem or 'It is empty.'}",
                hint='Rows look like {"prompt": "…", "answer": "…"}; other forms can be converted.',
            )
        )
    return Samples(
        format=form,
        samples=tuple(found),
        notes=(*readings.sentences(), *_notes(form, bad, problem)),
    )


def _file(given: str) -> Path:
    try:
        return data_file(given)
    except AppError as refusal:
        raise _named(refusal) from None


def _sample(line: int, row: Mapping[str, Any], form: Format) -> Sample:
    wrong = check(row, "grpo") if form == "grpo" else None
    if wrong:
        raise Unsuitable(wrong)
    written = row if form == "grpo" else convert_row(row, form, "grpo")
    return Sample(
        line=line, prompt=written["prompt"], answer=written["answer"], type=row.get("type")
    )


def _notes(form: Format, bad: int, problem: str | None) -> list[str]:
    notes = []
    if form == "preference":
        notes.append("The chosen answers were taken as the rows' answers.")
    elif form != "grpo":
        notes.append(f"The {form} rows were read as questions and answers.")
    if bad:
        notes.append(f"{bad} line(s) could not be used. {problem}")
    return notes


def _named(refusal: AppError) -> AppError:
    refusal.errors = (FieldProblem("data_path", refusal.detail),)
    return refusal
