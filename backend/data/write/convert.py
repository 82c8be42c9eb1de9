"""Write a data file in another form: row by row, with a reason for every row left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.core.disk.disk_errors import full_refusal
from backend.data.readers.data_file import read_lines
from backend.data.rows.conversation import (
    Unsuitable,
)
from backend.data.rows.conversion import convert_row
from backend.data.rows.formats import Format, detect, file_form
from backend.data.rows.line import Line
from backend.data.rows.normaliser import normalise
from backend.data.rows.preference_pairs import are_equal
from backend.data.rows.readings import Readings
from backend.data.schemas import ConvertAnswer, ConvertedRow, ConvertedRows, DataForm, LineProblem
from backend.data.write.atomic_output import NewFile
from backend.errors import BadContent, Invalid

SHOWN = 50
FIELDS = (
    "text", "messages", "tools", "prompt", "completion", "answer", "system", "chosen", "rejected",
    "instruction", "input", "output", "conversations", "type",
)  # fmt: skip

_EQUAL = "chosen and rejected are the same answer; nothing can be preferred there"
_NO_PAIRS = (
    "A preference row needs a worse answer that a person or a model really gave; none is made up "
    "here. If a column has it, map that column to 'rejected'."
)


def convert_file(source: Path, target: Path, to: DataForm, **options: Any) -> ConvertAnswer:
    """One file; options and refusals are those of `convert_files`."""
    return convert_files([source], target, to, **options)


def convert_files(
    sources: Sequence[Path],
    target: Path,
    to: DataForm | None,
    *,
    mapping: Mapping[str, str] | None = None,
    system: str | None = None,
    answer_after: str | None = None,
    first_exchange: bool = False,
    limit: int | None = None,
    overwrite: bool = False,
) -> ConvertAnswer:
    """The rows of several files in one, at most `limit`; `to` None writes them as they are.

    Nothing is left behind unless it works. Raises BadContent when no row can be written.
    """
    _check_mapping(mapping)
    skipped: list[LineProblem] = []
    left_out = 0
    form: Format | None = None
    readings = Readings()
    source = sources[0]
    try:
        with NewFile(target, overwrite=overwrite) as new:
            for source, line in _lines(sources):
                if limit is not None and new.rows >= limit:
                    break
                try:
                    if line.row is None or line.written is None:
                        raise Unsuitable(str(line.problem))
                    row, said = dict(line.row), line.readings
                    if mapping:
                        row, said = normalise(_mapped(line.written, mapping))
                    form = file_form(form, row)
                    if to is None:
                        new.add(line.written)
                        continue
                    own = detect(row)
                    made = convert_row(
                        row,
                        form if own == "unknown" else own,
                        to,
                        system=system,
                        answer_after=answer_after,
                        first_exchange=first_exchange,
                    )
                    new.add(made)
                    if to == "preference" and are_equal(made):
                        said = (*said, _EQUAL)
                    readings.add(line.number, said)
                except Unsuitable as problem:
                    left_out += 1
                    if len(skipped) < SHOWN:
                        where = f" of {source.name}" if len(sources) > 1 else ""
                        message = f"Line {line.number}{where} {problem}."
                        skipped.append(LineProblem(line=line.number, message=message))
            if new.rows == 0:
                raise _nothing(source, to, skipped, form)
            new.keep()
    except OSError as problem:
        full = full_refusal(problem, target.parent)
        raise full or BadContent(f"{source} can't be converted: {problem.strerror}.") from problem
    return ConvertAnswer(
        path=str(target),
        format=to or form or "unknown",
        source_format=form or "unknown",
        rows=new.rows,
        skipped=skipped,
        skipped_count=left_out,
        notes=[*readings.sentences(), *(_notes(form, to, system) if to else ())],
    )


def convert_rows(
    rows: Sequence[Mapping[str, Any]],
    to: DataForm,
    *,
    mapping: Mapping[str, str] | None = None,
    **options: Any,
) -> ConvertedRows:
    """What `convert_files` would write of a few rows, and why it would leave some out."""
    _check_mapping(mapping)
    form: Format | None = None
    converted: list[ConvertedRow] = []
    for written in rows:
        try:
            row, _ = normalise(_mapped(written, mapping) if mapping else dict(written))
            form = file_form(form, row)
            converted.append(ConvertedRow(row=convert_row(row, form, to, **options)))
        except Unsuitable as problem:
            converted.append(ConvertedRow(row=None, problem=f"This row {problem}."))
    return ConvertedRows(rows=converted)


def _lines(sources: Iterable[Path]) -> Iterator[tuple[Path, Line]]:
    """Every line that is not blank, with its file."""
    for source in sources:
        for line in read_lines(source):
            if line.row is not None or line.problem is not None:
                yield source, line


def _mapped(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The columns under the names of a known form."""
    found: dict[str, Any] = {}
    for field, column in mapping.items():
        value = _column(row, column)
        if value is not None:
            found[field] = value
    return found


def _column(row: Mapping[str, Any], column: str) -> Any:
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):  # A value inside an object: "solution.value".
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _check_mapping(mapping: Mapping[str, str] | None) -> None:
    for field in mapping or ():
        if field not in FIELDS:
            raise Invalid(
                f"The mapping names the field {field[:80]!r}, which no form has.",
                hint=f"Fields are {', '.join(FIELDS)}; each is mapped to a column of the file.",
            )


def _nothing(
    source: Path, to: DataForm | None, skipped: list[LineProblem], form: Format | None
) -> BadContent:
    as_form = f" as {to}" if to else ""
    first = skipped[0].message if skipped else f"{source.name} has no rows."
    hint = "Map the columns of the file to the fields of a form, or choose another form."
    if form is None:  # Not one row could be read.
        hint = "Correct the file, or choose another one."
    elif to == "preference":
        hint = _NO_PAIRS
    return BadContent(f"No row of {source.name} can be written{as_form}. {first}", hint=hint)


def _notes(form: Format | None, to: DataForm, system: str | None) -> list[str]:
    notes = []
    if to == "completions" and (system or form in ("chat", "grpo", "alpaca", "sharegpt")):
        notes.append("System messages, which completion rows lack, are put in front of the prompt.")
    if form == "preference" and to != "preference":
        notes.append("Only the chosen answers are kept.")
    if to == "text" and form != "text":
        notes.append(
            "The roles are spelled out as “User:” and “Assistant:”, without a chat template."
        )
    return notes
