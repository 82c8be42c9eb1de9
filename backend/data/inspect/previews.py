"""One row as the model sees it: its tokens, and which of them are learned."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.data.inspect.inspector import tokenizer_key
from backend.data.inspect.rendered import omission
from backend.data.readers.data_file import data_file, read_lines
from backend.data.rows.engine_form import ENGINE_FORMS, check_trainable, engine_form
from backend.data.rows.formats import Format, detect
from backend.data.rows.line import Line
from backend.data.rows.normaliser import doubled_forms
from backend.data.schemas import DatasetPreview, PreviewRequest, PreviewToken
from backend.data.tasks.client import ask_tokens
from backend.errors import BadContent, NotFound
from backend.models.schemas import ModelInfo
from backend.settings import Settings

WINDOW = 16  # Rows asked for together: the next one is then there at once.
SHOWN_TOKENS = 4096
DEADLINE = 60.0
_HELD = 32


# File, stamp, tokenizer and mask; and the window's first row.
_Place = tuple[tuple[Path, tuple[int, int], str, bool], int]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file. `given` is what the engine gets, None with the `problem`."""

    number: int
    line: int
    given: dict[str, Any] | None
    problem: str | None
    multi_turn: bool = False
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Window:
    form: Format
    rows: tuple[_Row, ...]
    last: bool

    def find(self, request: PreviewRequest) -> int | None:
        """The place of the row with that number, or of the first from that line on."""
        for at, row in enumerate(self.rows):
            if request.line is None and row.number == request.row:
                return at
            if request.line is not None and row.line >= request.line:
                return at
        return None

    def may_have(self, request: PreviewRequest) -> bool:
        """Whether no row before it may be the one that is asked for by its line."""
        return request.line is None or self.rows[0].line <= request.line


class Previews:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: OrderedDict[_Place, tuple[_Window, list[dict[str, Any]]]] = OrderedDict()

    async def show(self, request: PreviewRequest, model: ModelInfo) -> DatasetPreview:
        """Raises BadContent for a row that can't be used, NotFound for one that is not there."""
        if model.problem is not None:
            raise BadContent(f"{model.name} can't be used. {model.problem}")
        path = await asyncio.to_thread(data_file, request.path)
        place, window, spelled = await self._window(path, request, model)
        row, said = window.rows[place], spelled[place]
        problem = row.problem or said.get("error")
        if problem:
            raise BadContent(
                f"Line {row.line} of {path.name} {problem}."
                if row.problem
                else f"The template of {model.name} can't take line {row.line} of {path.name}: "
                f"{problem}",
                hint="Correct the line, or look at another row.",
            )
        last = window.last and place == len(window.rows) - 1
        return _shown(request, path, model, window.form, row, said, last=last)

    async def _window(
        self, path: Path, request: PreviewRequest, model: ModelInfo
    ) -> tuple[int, _Window, list[dict[str, Any]]]:
        """Where the row is in its window, and that window. Raises NotFound."""
        status = await asyncio.to_thread(path.stat)
        stamp = (status.st_size, status.st_mtime_ns)
        tokenizer = await asyncio.to_thread(tokenizer_key, model)
        of = (path, stamp, tokenizer, request.mask_prompt)
        for (other, _), (window, spelled) in self._held.items():
            place = window.find(request) if other == of and window.may_have(request) else None
            if place is not None:
                return place, window, spelled
        window = await asyncio.to_thread(_read_window, path, request)
        place = window.find(request)
        if place is None:
            raise _not_there(path, request)
        given = [row.given for row in window.rows if row.given is not None]
        said: Iterator[dict[str, Any]] = iter(())
        if given:
            asked = {
                "task": "preview",
                "model": model.path,
                "rows": given,
                "mask": request.mask_prompt,
                "most": SHOWN_TOKENS,
                "vocab_size": model.vocab_size,
            }
            answer = await ask_tokens(self._settings, asked, deadline=DEADLINE)
            said = iter(answer["rows"])
        spelled = [next(said) if row.given is not None else {} for row in window.rows]
        self._held[of, window.rows[0].number] = window, spelled
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        return place, window, spelled


def _read_window(path: Path, request: PreviewRequest) -> _Window:
    """The WINDOW rows among which is the one that is asked for, as far as the file has them."""
    form: Format | None = None
    lines: list[Line] = []
    number, reached = 0, False
    try:
        for line in read_lines(path):
            if line.row is None and line.problem is None:
                continue
            if form is None and line.row is not None:
                form = detect(line.row)
            if len(lines) == WINDOW:
                if reached:
                    return _Window(form or "unknown", _rows(lines, number, form), last=False)
                lines = []
            number += 1
            lines.append(line)
            reached = reached or _is_reached(request, number, line.number)
    except OSError as problem:
        raise BadContent(f"{path} can't be read: {problem.strerror}.") from problem
    return _Window(form or "unknown", _rows(lines, number, form), last=True)


def _is_reached(request: PreviewRequest, number: int, line: int) -> bool:
    """Whether a row is the one that is asked for: by its number, or the first from a line on."""
    return number >= request.row if request.line is None else line >= request.line


def _rows(lines: Sequence[Line], last: int, form: Format | None) -> tuple[_Row, ...]:
    """The rows of lines, of which the last has that number."""
    first = last - len(lines) + 1
    return tuple(
        _row(number, line, form or "unknown") for number, line in enumerate(lines, start=first)
    )


def _not_there(path: Path, request: PreviewRequest) -> NotFound:
    if request.line is not None:
        return NotFound(f"{path.name} has no line {request.line}.")
    return NotFound(
        f"{path.name} has no row {request.row}.", hint="Its last row has a lower number."
    )


def _row(number: int, line: Line, form: Format) -> _Row:
    row = line.row
    wrong = line.problem if row is None else check_trainable(row, form)
    if wrong or row is None:
        return _Row(number, line.number, None, wrong or "can't be read")
    given = engine_form(row, form)
    if given is None:
        return _Row(number, line.number, None, "can't be turned into a conversation")
    answers = [
        message
        for message in given.get("messages", ())
        if message.get("role") == "assistant" and message.get("weight") != 0
    ]
    doubled = doubled_forms(row)
    readings = (*line.readings, doubled) if doubled else line.readings
    return _Row(number, line.number, given, None, multi_turn=len(answers) > 1, readings=readings)


def _shown(
    request: PreviewRequest,
    path: Path,
    model: ModelInfo,
    form: Format,
    row: _Row,
    said: dict[str, Any],
    *,
    last: bool,
) -> DatasetPreview:
    total = said["total"]
    # Nothing comes before the first token, so it is never learned.
    spans = [(max(start, 1), end) for start, end in said["spans"]]
    limit = request.max_seq_length
    end = total if limit is None else min(total, limit)
    tokens = [
        PreviewToken(
            id=token,
            text=text,
            special=special,
            trained=at < end and any(start <= at < stop for start, stop in spans),
            cut=at >= end,
        )
        for at, (token, text, special) in enumerate(
            zip(said["ids"], said["texts"], said["special"], strict=True)
        )
    ]
    shown_as = form if form in ENGINE_FORMS else "chat"
    trained = sum(max(0, min(stop, end) - start) for start, stop in spans)
    return DatasetPreview(
        path=str(path),
        model=model.name,
        row=row.number,
        line=row.line,
        last=last,
        format=form,
        shown_as=shown_as,
        text=said["text"],
        tokens=tokens,
        total_tokens=total,
        trained_tokens=trained,
        cut_tokens=total - end,
        first_trained=spans[0][0] if trained else None,
        max_seq_length=limit,
        mask_prompt=request.mask_prompt and form != "text",
        pad_trained=bool(spans) and spans[-1][1] == total and (limit is None or total < limit),
        notes=[
            *_notes(request, form, row, trained, total - end),
            *_template_notes(said, model),
        ],
    )


def _notes(request: PreviewRequest, form: Format, row: _Row, trained: int, cut: int) -> list[str]:
    notes = [f"{reading[:1].upper()}{reading[1:]}." for reading in row.readings]
    if form == "preference":
        notes.append(
            "Shown is the chosen answer; preference training compares it with the rejected one."
        )
    elif form not in ENGINE_FORMS:
        notes.append(f"The {form} row is shown as the conversation it becomes.")
    if request.mask_prompt and form == "text":
        notes.append(
            "Text rows have no prompt to leave out: a run with training on answers only refuses "
            "them."
        )
    elif request.mask_prompt and row.multi_turn:
        notes.append("Every answer of the conversation is learned, each with the end of its turn.")
    if not trained:
        notes.append(
            "Nothing is left to learn within the length limit, so a run leaves this row out."
        )
    elif cut:
        notes.append(f"The last {cut:,} tokens are cut off, the end of the answer among them.")
    return notes


def _template_notes(said: dict[str, Any], model: ModelInfo) -> list[str]:
    """What the template leaves out of the row."""
    notes = [f"{model.name}: {text}." for part in said["omitted"] if (text := omission(part))]
    if said["unlearnable"]:
        notes.append(f"With training on answers only, {said['unlearnable']}.")
    return notes
