"""Which rows of which files a run uses: its sets, and what is held out of the training file."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from backend.data.checks.checked_file import CheckedFile
from backend.errors import AppError, FieldProblem, Invalid
from backend.jobs.run.recipe import StartWarning
from backend.training.request.start_request import StartRequest
from backend.training.run_data.remarks import NOT_VALIDATED

_SETS = {"train_data_path": "training", "val_data_path": "validation", "test": "test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlan:
    """Which rows a run will use. Without a validation file, `held_out` rows of the training file
    (by position) become the validation set. `skipped` rows, by the field of their file, are in no
    set.
    """

    train: CheckedFile
    valid: CheckedFile | None
    test: CheckedFile | None
    held_out: frozenset[int]
    seed: int
    warnings: tuple[StartWarning, ...]
    skipped: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, CheckedFile]:
        """The files, by the field that names them."""
        files = {"train_data_path": self.train, "val_data_path": self.valid, "test": self.test}
        return {name: file for name, file in files.items() if file is not None}

    @property
    def train_rows(self) -> int:
        return self.rows_of("train_data_path") - len(self.held_out)

    @property
    def valid_rows(self) -> int:
        return self.rows_of("val_data_path") if self.valid else len(self.held_out)

    def rows_of(self, name: str) -> int:
        """The rows of a file that are not skipped."""
        return self.files[name].rows - len(self.skipped.get(name, ()))


def leave_out(
    plan: DataPlan, request: StartRequest, skipped: Mapping[str, frozenset[int]]
) -> DataPlan:
    """The plan without those rows: what is held out is chosen among the others. Raises Invalid
    where too few are left.
    """
    plan = replace(plan, skipped=skipped, held_out=frozenset())
    _check_batch(plan, request)
    if plan.valid is not None:
        return plan
    if request.val_split == 0:
        return _with_warning(plan, StartWarning(NOT_VALIDATED, code="no_validation"))
    held_out = _hold_out(plan, request)
    split = StartWarning(
        f"No validation file is given: {len(held_out)} of the {plan.train_rows} rows are held "
        f"out for validation, chosen by seed {request.seed}.",
        code="validation_split",
        level="info",
    )
    return _with_warning(replace(plan, held_out=held_out), split)


def _with_warning(plan: DataPlan, warning: StartWarning) -> DataPlan:
    """The plan with that warning, in the place of one of the same code."""
    others = [each for each in plan.warnings if each.code != warning.code]
    return replace(plan, warnings=(*others, warning))


def _check_batch(plan: DataPlan, request: StartRequest) -> None:
    """The engine needs one whole batch in each set, and fails in the middle of a run otherwise."""
    for field_name, checked in plan.files.items():
        rows = plan.rows_of(field_name)
        if rows < request.batch_size:
            shared = checked is plan.train and plan.valid is None and request.val_split > 0
            most = _largest_batch(rows, request) if shared else rows
            left = " left" if field_name in plan.skipped else ""
            raise _invalid(
                "batch_size",
                f"The batch size of {request.batch_size} is larger than the {_SETS[field_name]} "
                f"set: {checked.path.name} has {rows} rows{left}.",
                _smaller(most) if shared else f"Use a batch size of at most {most}.",
            )


def _hold_out(plan: DataPlan, request: StartRequest) -> frozenset[int]:
    rows, name = plan.rows_of("train_data_path"), plan.train.path.name
    count = held_out_rows(rows, request)
    if rows - count < request.batch_size:
        raise _invalid(
            "val_data_path",
            f"{name} has {rows} rows: too few to hold out {count} for validation "
            f"and still fill a batch of {request.batch_size}.",
            _smaller(_largest_batch(rows, request)),
        )
    skipped = plan.skipped.get("train_data_path")
    usable = range(plan.train.rows)
    chance = random.Random(f"{request.seed}/split")
    return frozenset(
        chance.sample([row for row in usable if row not in skipped] if skipped else usable, count)
    )


def _largest_batch(rows: int, request: StartRequest) -> int:
    """What both parts of so many rows can fill; 0 where there is no such batch."""
    return min(rows // 2, rows - round(rows * request.val_split))


def _smaller(most: int) -> str:
    if most < 1:
        return "Give a validation file, more rows, or a smaller val_split."
    return f"Use a batch size of at most {most}, or give a validation file."


def held_out_rows(rows: int, request: StartRequest) -> int:
    """Of so many training rows, those that are held out where no validation file is given."""
    return max(round(rows * request.val_split), request.batch_size) if request.val_split else 0


def _invalid(name: str, text: str, hint: str) -> AppError:
    return Invalid(text, hint=hint, errors=[FieldProblem(name, text)])
