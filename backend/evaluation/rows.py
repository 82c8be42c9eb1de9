"""Which rows an adapter is measured on: held out from its training, a seeded choice of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from backend.contract.jobs.evaluation import EvaluationRow
from backend.core.disk.files import sha256_of
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.data.readers.data_file import data_file, read_lines
from backend.data.rows.engine_form import engine_form
from backend.data.rows.formats import Format, check, file_form
from backend.errors import BadContent, NotFound
from backend.jobs.run.schemas import DataSummary

HELD_OUT = ("test.jsonl", "valid.jsonl")
_TRAINED, _SUMMARY = "train.jsonl", "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRows:
    """`available` rows could have been chosen. `compared` is false where what was trained on is
    not known, so that `seen` says nothing. `changed` names files that are not what the run used.
    """

    path: Path
    rows: tuple[EvaluationRow, ...]
    available: int
    skipped: int
    compared: bool
    changed: tuple[str, ...] = ()

    @property
    def seen(self) -> int:
        return sum(row.seen for row in self.rows)


def held_out_file(data: Path | None) -> Path:
    """The run's own rows that it was not trained on: its test set, else its validation set.

    Raises NotFound where there are none.
    """
    for name in HELD_OUT:
        if data is not None and (data / name).is_file():
            return data / name
    where = "is not known" if data is None else f"({data}) has neither {' nor '.join(HELD_OUT)}"
    raise NotFound(
        f"There are no held-out rows: the data folder that this adapter was trained with {where}.",
        hint="Give training_data_path: a file of rows that the adapter has not been trained on.",
    )


def choose_rows(data_path: str | Path, *, count: int, seed: int, data: Path | None) -> ChosenRows:
    """A seeded choice of `count` rows (all, if there are fewer), in the order of the file.

    `data` is the folder that was trained with: rows whose content stands in its train.jsonl are
    marked as seen, however they are written. Raises NotFound or BadContent with a sentence.
    """
    path = (
        data_file(data_path, HELD_OUT[0])
        if not Path(data_path).is_dir()
        else _inside(Path(data_path))
    )
    changes = _find_changes(data, path)
    trained = frozenset() if _TRAINED in changes else _training_digests(data)
    chance = random.Random(f"{seed}/evaluation")
    rows: list[EvaluationRow] = []
    available = skipped = 0
    first: str | None = None
    for line, row, problem in _rows(path):
        if row is None:
            skipped += 1
            first = first or f"Line {line} {problem}."
            continue
        available += 1
        # A reservoir, so that a file of any length takes the memory of `count` rows.
        at = available - 1 if available <= count else chance.randrange(available)
        if at < count:
            row_choice = EvaluationRow(line=line, row=row, seen=content_of(row) in trained)
            rows[at : at + 1] = [row_choice]
    if not rows:
        raise BadContent(
            f"{path} has no row that can be evaluated. {first or 'It is empty.'}",
            hint="Chat, prompt and completion, prompt and answer, or text rows can be.",
        )
    return ChosenRows(
        path=path,
        rows=tuple(sorted(rows, key=lambda row: row.line)),
        available=available,
        skipped=skipped,
        compared=bool(trained),
        changed=changes,
    )


def rows_of_prompts(name: str, prompts: Sequence[str], system: str | None) -> ChosenRows:
    """Prompts as rows without an expected answer; they are of no file, so `path` is their name."""
    more = {"system": system} if system else {}
    return ChosenRows(
        path=Path(name),
        rows=tuple(
            EvaluationRow(line=at, row={"prompt": prompt, **more}, seen=False)
            for at, prompt in enumerate(prompts, start=1)
        ),
        available=len(prompts),
        skipped=0,
        compared=False,
    )


def content_of(row: Mapping[str, Any]) -> bytes:
    """A hash of what a row in the engine's form says, the same for a prompt with a completion and
    for the conversation of one question and answer.
    """
    if "prompt" in row and "completion" in row:
        content: Any = [["user", row["prompt"]], ["assistant", row["completion"]]]
    elif "messages" in row:
        content = [[message.get("role"), message.get("content")] for message in row["messages"]]
    else:
        content = row.get("text")
    return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=12).digest()


def _inside(folder: Path) -> Path:
    for name in HELD_OUT:
        if (folder / name).is_file():
            return folder / name
    return data_file(folder, HELD_OUT[-1])


def _find_changes(data: Path | None, chosen_file: Path) -> tuple[str, ...]:
    """Which of the run's training rows and the rows that are asked differ from what it used.

    A file that could be used as it was is linked, so an editor that saves in place changes both.
    """
    try:
        used = read_model(data / _SUMMARY, DataSummary) if data else None
    except (OSError, DamagedFile):
        used = None  # Of the reference app, or an adapter from elsewhere.
    if data is None or used is None:
        return ()
    return tuple(
        name
        for name, was in (
            (_TRAINED, used.train), ("valid.jsonl", used.valid), ("test.jsonl", used.test),
        )
        if was is not None
        and (name == _TRAINED or chosen_file == data / name)
        and (data / name).is_file()
        and sha256_of(data / name) != was.sha256
    )  # fmt: skip


def _training_digests(data: Path | None) -> frozenset[bytes]:
    if data is None or not (data / _TRAINED).is_file():
        return frozenset()
    return frozenset(content_of(row) for _, row, _ in _rows(data / _TRAINED) if row is not None)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None, str | None]]:
    """(line, row in the engine's form, None), or (line, None, what is wrong)."""
    form: Format | None = None
    for line in read_lines(path):
        if line.row is None:
            if line.problem:
                yield line.number, None, line.problem
            continue
        form = file_form(form, line.row)
        problem = check(line.row, form)
        row = None if problem else engine_form(line.row, form)
        yield line.number, row, None if row is not None else problem or "has no form to ask in"
