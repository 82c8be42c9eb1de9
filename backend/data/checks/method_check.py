"""Check every line of a data file for a training method, before anything is trained on it.

One pass in bounded memory. What would end a run or be learned wrongly is an error or a warning
with its line; what the file could be converted to is said where it is of another form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.data.checks.method_rows import NEEDED, DataNeeds, check_row
from backend.data.readers.data_file import read_lines
from backend.data.rows.content_hash import MOST_ROWS, ContentIndex, content_hash
from backend.data.rows.conversation import Unsuitable
from backend.data.rows.conversion import convert_row
from backend.data.rows.formats import Format, detect
from backend.data.rows.normaliser import doubled_forms
from backend.data.rows.preference_pairs import are_equal
from backend.data.rows.readings import Readings
from backend.data.rows.solutions import advice, mark_of
from backend.data.schemas import DataForm, LineProblem, MethodDataReport
from backend.errors import BadContent

SHOWN = 100
SHOWN_LINES = 5
FEW = 8
LOPSIDED = 0.95
LEAST_FOR_SHARES = 20

# How rows are hashed to find the same one twice.
_CONTENT: Mapping[DataNeeds, Format] = {"prompt_answer": "grpo", "preference": "preference"}
# The form of POST /api/datasets/convert whose rows such a method can use.
_CONVERTED: Mapping[DataNeeds, DataForm] = {
    "prompt_answer": "grpo",
    "preference": "preference",
    "prompt": "grpo",
}


def check_rows(path: Path, needs: DataNeeds, *, most_rows: int = MOST_ROWS) -> MethodDataReport:
    """Every line of `path` for a method that `needs` such rows. Raises BadContent when the file
    can't be read at all; what is wrong with its lines is in the report.
    """
    seen = Judged(needs, most_rows)
    try:
        for line in read_lines(path):
            if line.row is not None:
                seen.add(line.number, line.row, line.readings)
            elif line.problem is not None:
                seen.problem(line.number, line.problem)
    except OSError as problem:
        raise BadContent(f"{path} can't be read: {problem.strerror}.") from problem
    return seen.report(path)


class _Found:
    """How often something was seen, and in which lines first."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[int] = []

    def add(self, line: int) -> None:
        self.count += 1
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.lines) else ""
        word = "line" if self.count == 1 else "lines"
        return f"{word} {', '.join(map(str, self.lines))}{more}"


class Judged:
    """The rows of one file, judged one by one; holds only what is told, and their hashes."""

    def __init__(self, needs: DataNeeds, most_rows: int = MOST_ROWS) -> None:
        self.form: Format | None = None
        self.rows = self.bad = 0
        self.errors: list[LineProblem] = []
        self.convertible: bool | None = None
        self._needs = needs
        self._index = ContentIndex(most_rows)
        self._swapped = ContentIndex(most_rows)
        self._equal, self._null_system = _Found(), _Found()
        self._solutions: dict[str, _Found] = {}
        self._readings = Readings()
        self._with_system = self._longer = self._shorter = 0

    def add(self, line: int, row: Mapping[str, Any], readings: Sequence[str] = ()) -> None:
        if readings:
            self._readings.add(line, readings)
        if self._needs == "sft" and (doubled := doubled_forms(row)):
            self._readings.add(line, (doubled,))
        if self.form is None:
            self.form = detect(row)
            self.convertible = _can_convert(row, self._needs)
        wrong = check_row(row, self._needs, self.form)
        if wrong is not None:
            self.problem(line, wrong)
            return
        self.rows += 1
        form = _CONTENT.get(self._needs) or (self.form if self._needs == "sft" else "unknown")
        hashed = row if self._needs != "prompt" else {"prompt": row["prompt"]}
        self._index.add(content_hash(hashed, form), line)
        if "system" in row and row["system"] is None:
            self._null_system.add(line)
        self._with_system += bool(row.get("system"))
        if self._needs == "preference":
            self._pair(line, row)
        elif self._needs == "prompt_answer" and (mark := mark_of(row["answer"])):
            self._solutions.setdefault(mark, _Found()).add(line)

    def problem(self, line: int, what: str) -> None:
        self.bad += 1
        if len(self.errors) < SHOWN:
            self.errors.append(LineProblem(line=line, message=f"Line {line} {what}."))

    def report(self, path: Path) -> MethodDataReport:
        error = self._error(path)
        good = f"{_count(self.rows, 'row')} of {path.name}"
        warnings = self._warnings()
        if error is None:
            message = f"{good} can be used." + (" See the warnings." if warnings else "")
        else:
            message = f"{good} can be used, {self.bad} can not."
        target = _CONVERTED.get(self._needs) if error and self.convertible else None
        return MethodDataReport(
            valid=error is None,
            num_samples=self.rows,
            format=self.form or "unknown",
            needs=self._needs,
            message=message,
            error=error,
            hint=self._hint(target) if error else None,
            errors=self.errors,
            error_count=self.bad,
            warnings=warnings,
            convertible_to=target,
        )

    def _pair(self, line: int, row: Mapping[str, Any]) -> None:
        chosen, rejected = row["chosen"].strip(), row["rejected"].strip()
        if are_equal(row):
            self._equal.add(line)
            return
        self._longer += len(chosen) > len(rejected)
        self._shorter += len(chosen) < len(rejected)
        swapped = {**row, "chosen": row["rejected"], "rejected": row["chosen"]}
        self._swapped.add(content_hash(swapped, "preference"), line)

    def _error(self, path: Path) -> str | None:
        if self.bad:
            more = f" ({self.bad - 1} more such lines)" if self.bad > 1 else ""
            return self.errors[0].message + more
        if not self.rows:
            return f"{path.name} has no rows."
        return None

    def _hint(self, target: DataForm | None) -> str:
        needed = f"Every line must be one JSON object with {NEEDED[self._needs]}."
        if target is not None:
            return f"{needed} These {self.form} rows can be converted: Data → Convert."
        if self._needs == "preference" and self.form not in ("preference", None):
            return (
                f"{needed} A rejected answer can't be made up: it must be one that a person or a "
                "model really gave. If the file has it in a column, convert and map that column."
            )
        return needed

    def _warnings(self) -> list[str]:
        found = list(self._readings.sentences())
        if 0 < self.rows < FEW:
            found.append(
                f"There {'is' if self.rows == 1 else 'are'} only {_count(self.rows, 'row')}; "
                "a run learns little from so few."
            )
        repeated = _Found()
        for lines in self._index.repeated():
            for line in lines[1:]:
                repeated.add(line)
        if repeated.count:
            what = "prompt" if self._needs == "prompt" else "row"
            found.append(
                f"{_count(repeated.count, what)} that an earlier one says already ({repeated})."
            )
        if self._needs == "preference":
            found += self._pair_warnings()
        found += [
            f"{_count(seen.count, 'answer')} with “{mark}” before the bare answer ({seen}): "
            f"{advice(mark)}"
            for mark, seen in self._solutions.items()
        ]
        if self._null_system.count:
            found.append(
                f"{_count(self._null_system.count, 'row')} with a system message that is null "
                f"({self._null_system}), read as if there were none."
            )
        if self._needs == "prompt_answer" and 0 < self._with_system < self.rows:
            found.append(
                f"{self.rows - self._with_system} of {self.rows} rows have no system message: "
                "the engine gives them its own, which asks for <think> and <answer>."
            )
        if self._index.full:
            found.append(
                f"Repeated rows were looked for in the first {self._index.rows} rows only."
            )
        return found

    def _pair_warnings(self) -> list[str]:
        found = []
        if self._equal.count:
            found.append(
                f"{_count(self._equal.count, 'pair')} with the same answer as chosen and as "
                f"rejected ({self._equal}); nothing can be preferred there."
            )
        against = _Found()
        for _, line in self._index.shared(self._swapped):
            against.add(line)
        if against.count:
            found.append(
                f"{_count(against.count, 'pair')} the opposite of another, with chosen and "
                f"rejected exchanged ({against})."
            )
        if self.rows >= LEAST_FOR_SHARES:
            for count, word in ((self._longer, "longer"), (self._shorter, "shorter")):
                if count >= LOPSIDED * self.rows:
                    found.append(
                        f"The chosen answer is the {word} one in {count} of {self.rows} pairs; a "
                        "run may learn the length instead of what you mean."
                    )
        return found


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _can_convert(row: Mapping[str, Any], needs: DataNeeds) -> bool:
    target = _CONVERTED.get(needs)
    if target is None:
        return False
    try:
        form = detect(row)
        if form == target:
            return False
        convert_row(row, form, target)
    except Unsuitable:
        return False
    return True
