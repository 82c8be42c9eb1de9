"""Read a whole data file once, in bounded memory, and say everything that can be said of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backend.data.checks.sample import SampleWriter
from backend.data.readers.data_file import read_lines
from backend.data.rows.content_hash import MOST_ROWS, ContentIndex, content_hash
from backend.data.rows.engine_form import check_trainable, engine_form
from backend.data.rows.formats import Format, file_form
from backend.data.rows.line import Line
from backend.data.rows.normaliser import doubled_forms
from backend.data.rows.readings import Readings
from backend.data.schemas import (
    DatasetInspection,
    DuplicateGroup,
    Duplicates,
    Leakage,
    LineProblem,
    SharedRow,
)
from backend.errors import BadContent

SHOWN_ROWS = 5
SHOWN_PROBLEMS = 100
SHOWN_COLUMNS = 50
SHOWN_TEXT = 2000
SHOWN_GROUPS = 20
SHOWN_LINES = 8

Progress = Callable[[float | None], None]
_ROLE_WORDS = re.compile(
    r"^\s*(User|Human|Assistant|System)\s*:|###\s?(Human|Assistant|Instruction|Response):",
    re.MULTILINE,
)


def scan(
    path: Path,
    *,
    valid: Path | None = None,
    sample: Path | None = None,
    seconds: float | None = None,
    progress: Progress = lambda _: None,
    most_rows: int = MOST_ROWS,
) -> DatasetInspection:
    """Read `path` to its end, or for `seconds`. Rows that the engine can be given are written to
    `sample` (all of a small file). Raises BadContent when the file can't be read.
    """
    deadline = time.monotonic() + seconds if seconds is not None else None
    seen = _Seen(ContentIndex(most_rows), SampleWriter(sample) if sample else None)
    try:
        with seen:
            held_out = _index(valid, deadline, most_rows) if valid and valid != path else None
            size = max(path.stat().st_size, 1)
            done = 0
            for count, line in enumerate(read_lines(path), start=1):
                seen.add(line)
                done += len(line.raw)
                if count % 512 == 0:
                    progress(min(done / size, 1.0))
                    if deadline is not None and time.monotonic() > deadline:
                        seen.complete = False
                        break
    except OSError as problem:
        raise BadContent(f"{path} can't be read: {problem.strerror}.") from problem
    if seen.rows == 0 and not seen.count:
        seen.problem(0, "The file is empty.")
    return seen.report(path, held_out)


class _Held:
    """What is remembered of a validation file."""

    def __init__(self, path: Path, index: ContentIndex) -> None:
        self.path = path
        self.index = index


def _index(path: Path, deadline: float | None, most_rows: int) -> _Held | None:
    index = ContentIndex(most_rows)
    form: Format | None = None
    try:
        for count, line in enumerate(read_lines(path), start=1):
            if line.row is not None:
                form = file_form(form, line.row)
                index.add(content_hash(line.row, form), line.number)
            if count % 512 == 0 and deadline is not None and time.monotonic() > deadline:
                return None
    except (OSError, BadContent):  # Its own inspection says what is wrong with it.
        return None
    return _Held(path, index)


class _Seen:
    """What has been learned of a file so far; holds only what is shown, and the hashes."""

    def __init__(self, index: ContentIndex, writer: SampleWriter | None) -> None:
        self.form: Format | None = None
        self.columns: dict[str, None] = {}
        self.rows = self.good = self.multi_turn = self.unanswered = 0
        self.labelled = False
        self.sample: list[dict[str, Any]] = []
        self.problems: list[LineProblem] = []
        self.count = 0
        self.complete = True
        self.readings = Readings()
        self._index = index
        self._writer = writer

    def __enter__(self) -> None:
        if self._writer:
            self._writer.__enter__()

    def __exit__(self, *problem: object) -> None:
        if self._writer:
            self._writer.__exit__()

    def add(self, line: Line) -> None:
        row = line.row
        if row is None:
            if line.problem:
                self.problem(line.number, f"Line {line.number} {line.problem}.")
            return
        self.rows += 1
        self.form = file_form(self.form, row)
        readings = line.readings
        if doubled := doubled_forms(row):
            readings = (*readings, doubled)
        if readings:
            self.readings.add(line.number, readings)
        for column in line.written or row:
            if len(self.columns) < SHOWN_COLUMNS:
                self.columns.setdefault(column[:200])
        if len(self.sample) < SHOWN_ROWS:
            self.sample.append(clipped(line.written))
        wrong = check_trainable(row, self.form)
        if wrong:
            self.problem(line.number, f"Line {line.number} {wrong}.")
            return
        self._good(line.number, row, self.form)

    def _good(self, number: int, row: Mapping[str, Any], form: Format) -> None:
        self.good += 1
        self._index.add(content_hash(row, form), number)
        if form == "chat":
            roles = [message["role"] for message in row["messages"]]
            self.multi_turn += roles.count("assistant") > 1
            self.unanswered += roles[-1] != "assistant"
        elif form == "text" and not self.labelled:
            self.labelled = bool(_ROLE_WORDS.search(row["text"]))
        if self._writer:
            given = engine_form(row, form)
            if given is not None:
                self._writer.add(number, given)

    def problem(self, line: int, message: str) -> None:
        self.count += 1
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(LineProblem(line=line, message=message))

    def report(self, path: Path, held_out: _Held | None) -> DatasetInspection:
        beside = path.parent / "valid.jsonl"
        return DatasetInspection(
            path=str(path),
            format=self.form,
            columns=list(self.columns),
            rows=self.rows,
            size_bytes=path.stat().st_size,
            sample=self.sample,
            problems=self.problems,
            problem_count=self.count,
            valid_beside=str(beside) if beside.is_file() and beside != path else None,
            complete=self.complete,
            good_rows=self.good,
            multi_turn_rows=self.multi_turn,
            unanswered_rows=self.unanswered,
            labelled_text=self.labelled,
            duplicates=_duplicates(self._index),
            leakage=_leakage(self._index, held_out) if held_out else None,
            notes=list(self.readings.sentences()),
        )


def _duplicates(index: ContentIndex) -> Duplicates:
    rows = 0
    groups: list[DuplicateGroup] = []
    for lines in index.repeated():
        rows += len(lines) - 1
        groups.append(DuplicateGroup(lines=lines[:SHOWN_LINES], count=len(lines)))
        if len(groups) > SHOWN_GROUPS * 50:
            groups = _largest(groups)
    return Duplicates(rows=rows, groups=_largest(groups), complete=not index.full)


def _largest(groups: list[DuplicateGroup]) -> list[DuplicateGroup]:
    return sorted(groups, key=lambda group: (-group.count, group.lines[0]))[:SHOWN_GROUPS]


def _leakage(index: ContentIndex, held_out: _Held) -> Leakage:
    shared = 0
    first: list[tuple[int, int]] = []
    for line, valid_line in index.shared(held_out.index):
        shared += 1
        first.append((valid_line, line))
        if len(first) > SHOWN_GROUPS * 50:
            first = sorted(first)[:SHOWN_GROUPS]
    return Leakage(
        path=str(held_out.path),
        valid_rows=held_out.index.rows,
        shared_rows=shared,
        examples=[
            SharedRow(line=line, valid_line=valid_line)
            for valid_line, line in sorted(first)[:SHOWN_GROUPS]
        ],
    )


def clipped(value: Any, depth: int = 0) -> Any:
    """A row small enough to be shown."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN_TEXT else value[:SHOWN_TEXT] + "…"
    if depth > 6:
        return "…"
    if isinstance(value, list):
        return [clipped(item, depth + 1) for item in value[:20]]
    if isinstance(value, dict):
        items = list(value.items())[:SHOWN_COLUMNS]
        return {clipped(key, 1)[:200]: clipped(item, depth + 1) for key, item in items}
    if isinstance(value, int) and abs(value) > 2**53:
        return json.dumps(value)  # A browser would show another number.
    return value
