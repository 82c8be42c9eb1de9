"""Prompts that a run will not be trained on, for its live samples."""

from __future__ import annotations

from itertools import islice

from backend.data.readers.data_file import read_lines
from backend.data.rows.first_question import first_question
from backend.errors import AppError
from backend.training.run_data.data_plan import DataPlan

_ROWS = 500  # Whoever presses the button waits for the answer.


def held_out_prompts(data: DataPlan, *, limit: int) -> tuple[list[str], str | None]:
    """The first questions of rows that are only validated on: of the validation file, or those held
    out of the training file, and the name of that file. Rows of plain text have none; without a
    file nothing is held out. Blocking.
    """
    file = data.valid or data.train
    skipped = data.skipped.get("val_data_path" if data.valid else "train_data_path", frozenset())
    prompts: dict[str, None] = {}
    if data.valid is None and not data.held_out:
        return [], None
    try:
        rows = (line.row for line in read_lines(file.path) if line.row is not None)
        for number, row in enumerate(islice(rows, _ROWS)):
            if number in skipped or (data.valid is None and number not in data.held_out):
                continue
            text = first_question(row)
            if text is not None:
                prompts[text] = None
            if len(prompts) == limit:
                break
    except (OSError, AppError):
        prompts.clear()
    return list(prompts), file.path.name
