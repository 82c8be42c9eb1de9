"""Read a whole data file before a run and find everything that would end the run later."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from backend.data.checks.method_rows import DataNeeds, Need, check_row, engine_row
from backend.data.readers.data_file import read_lines
from backend.data.rows.engine_form import given_form, trainable
from backend.data.rows.formats import Format, file_form
from backend.data.rows.normaliser import doubled_forms
from backend.data.rows.readings import Readings
from backend.data.rows.solutions import mark_of
from backend.data.rows.system_texts import SystemTexts
from backend.errors import BadContent, FieldProblem

SHOWN = 20
NEEDS: tuple[Need, ...] = get_args(Need)
_ROLE_WORDS = re.compile(
    r"^\s*(User|Human|Assistant|System)\s*:|###\s?(Human|Assistant|Instruction|Response):",
    re.MULTILINE,
)
_CHAT = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}'
_MIXED = (
    f"Every row must be of the same form, such as {_CHAT}. Correct it, or write the file anew "
    "under Data → Convert, which writes all rows in one form and names those that it leaves out."
)
_NEEDED: Mapping[DataNeeds, str] = {
    "prompt_answer": 'The method needs {"prompt": "…", "answer": "…"} on every line. Correct it, '
    "or convert the file to prompt/answer rows under Data → Convert.",
    "preference": 'The method needs {"prompt": "…", "chosen": "…", "rejected": "…"} on every line. '
    "Correct it, or convert the file to preference rows under Data → Convert.",
    "prompt": 'The method needs {"prompt": "…"} on every line.',
    "next_token": "The method needs a context_with_chat_template, a rejected_decoded and a list "
    "multi_chosen_decoded on every line; a generated sample file shows the form.",
}
_UNREADABLE = (
    "Correct the line, or write the file anew under Data → Convert, which leaves such lines out "
    "and names them."
)
_NO_ROWS = (
    "No line of the file can be read as a row. Training data are JSONL (an object on each line), "
    "a JSON list, CSV or Parquet: save it as one of these, or choose another file."
)
_NO_COLUMNS = (
    "A CSV file's first line must name its columns, such as prompt and completion. Where it does, "
    "map them under Data → Convert."
)
_UNKNOWN = "Convert the file under Data → Convert, where its columns can be mapped to those."


class CheckedFile(BaseModel):
    """A data file whose every row is good. `clean` files can be used by the engine unchanged.

    `form` is how the rows are written, `given` what the engine gets of them for a method that
    `needs` them. `unanswered` is the first row that does not end with an answer (it can't be
    trained on answers only); `multi_turn` counts rows with several answers, `unlearned` those with
    an answer of the weight 0, `without_system` prompt/answer rows that have no system prompt;
    `without` counts the rows that lack what a reward function may need; `characters` sums what is
    trained on. `readings` says how rows of another spelling are understood, `solutions` counts
    the answers that are a whole solution, by the mark before the bare answer. `system` is the
    system prompt that most rows have.
    """

    model_config = ConfigDict(frozen=True)

    path: Path
    needs: DataNeeds
    form: Format
    given: Format
    rows: int
    clean: bool
    unanswered: int | None
    multi_turn: int
    labelled_text: bool
    without_system: int
    without: Mapping[Need, int]
    characters: int
    longest: int
    stamp: tuple[int, int]
    readings: tuple[str, ...] = ()
    unlearned: int = 0
    solutions: Mapping[str, int] = {}
    system: str | None = None


def stamp_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def check_file(path: Path, needs: DataNeeds) -> CheckedFile:
    """Every line of the file, each of which must be what a method `needs`; for fine-tuning it has
    the first row's form. Raises BadContent whose `errors` name the lines, with no field yet.
    """
    stamp = stamp_of(path)
    form: Format | None = None
    problems: list[str] = []
    bad = rows = multi_turn = characters = longest = 0
    without_system = 0
    without = dict.fromkeys(NEEDS, 0)
    clean, labelled = True, False
    unanswered: int | None = None
    readings, unlearned = Readings(), 0
    hint = ""
    solutions: Counter[str] = Counter()
    systems = SystemTexts()
    for line in read_lines(path):
        clean = clean and line.clean
        wrong = line.problem
        if line.row is not None:
            form = file_form(form, line.row)
            wrong = check_row(line.row, needs, form)
        elif wrong is None:
            continue
        if wrong is not None or line.row is None or form is None:
            bad += 1
            hint = hint or _hint(path, needs, line.row is not None, str(wrong), form)
            if len(problems) < SHOWN:
                problems.append(f"Line {line.number} of {path.name} {wrong}.")
            if bad >= 1000:
                break  # Not this kind of file: the first thousand say so well enough.
            continue
        rows += 1
        if line.readings:
            readings.add(line.number, line.readings)
        if needs == "sft" and (doubled := doubled_forms(line.row)):
            readings.add(line.number, (doubled,))
        given = given_form(form) if needs == "sft" else form
        clean = clean and (needs == "sft" or line.row == engine_row(line.row, needs))
        row = line.row if given == form else trainable(line.row, form)
        length = _length(row, given)
        characters += length
        longest = max(longest, length)
        if needs == "prompt_answer" and (mark := mark_of(line.row["answer"])):
            solutions[mark] += 1
        systems.add(row)
        without_system += needs == "prompt_answer" and not line.row.get("system")
        for name in NEEDS:
            without[name] += line.row.get(name) in (None, "")
        answers = _answers(row) if given == "chat" else 1
        multi_turn += answers > 1
        if given == "chat" and row["messages"][-1]["role"] != "assistant":
            unanswered = unanswered or line.number
        if given == "chat" and (line.columns or b'"weight"' in line.raw):
            unlearned += any(turn.get("weight") == 0 for turn in row["messages"])
        labelled = labelled or (form == "text" and bool(_ROLE_WORDS.search(line.row["text"])))
    if bad:
        more = f" (and {bad - 1} more such lines)" if bad > 1 else ""
        raise BadContent(
            problems[0] + more,
            hint=_NO_ROWS if form is None and hint == _UNREADABLE else hint,
            errors=[FieldProblem("", problem) for problem in problems],
        )
    if rows == 0 or form is None:
        text = f"{path.name} is empty: it has no rows."
        raise BadContent(text, errors=[FieldProblem("", text)])
    return CheckedFile(
        path=path, needs=needs, form=form, given=given, rows=rows, clean=clean,
        unanswered=unanswered, multi_turn=multi_turn, labelled_text=labelled,
        without_system=without_system, without=without, characters=characters, longest=longest,
        stamp=stamp, readings=readings.sentences(), unlearned=unlearned, solutions=dict(solutions),
        system=systems.common(),
    )  # fmt: skip


def _hint(path: Path, needs: DataNeeds, read: bool, wrong: str, form: Format | None) -> str:
    """The way out for the first line that is wrong."""
    if not read:
        return "Correct the file there." if "nothing after it" in wrong else _UNREADABLE
    if form == "unknown" and path.suffix.lower() in (".csv", ".tsv"):
        return _NO_COLUMNS
    if needs == "sft" and form != "unknown" and not wrong.startswith("has no '"):
        return _UNREADABLE
    if form == "unknown" and not wrong.startswith("has none of the known forms"):
        return f"Rows look like {_CHAT}."
    return _NEEDED.get(needs, _UNKNOWN if form == "unknown" else _MIXED)


def _answers(row: Mapping[str, Any]) -> int:
    return sum(message["role"] == "assistant" for message in row["messages"])


def _length(row: Mapping[str, Any], form: Format) -> int:
    if form == "chat":
        return sum(len(message.get("content") or "") for message in row["messages"])
    if isinstance(row.get("prompt"), list):
        row = {**row, "asked": "".join(message["content"] for message in row["prompt"])}
    return sum(len(value) for value in row.values() if isinstance(value, str))
