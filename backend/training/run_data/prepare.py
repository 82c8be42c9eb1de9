"""From any accepted input to the data folder of one run.

`plan_data` makes every check that the engine fails to make and writes nothing; `stage_data` then
fills the run folder. A file that the engine can use as it is gets a hard link, any other a copy in
the engine's form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.contract.run.folder import DATA_SUMMARY
from backend.core.disk.files import link_or_copy, sha256_of, write_json
from backend.data.checks.checked_file import CheckedFile, stamp_of
from backend.data.checks.method_rows import DataNeeds, engine_row
from backend.data.readers.data_file import read_lines
from backend.data.rows.conversation import Unsuitable
from backend.data.rows.engine_form import trainable
from backend.errors import AppError, BadContent, FieldProblem, Invalid
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.jobs.run.schemas import DataFile, DataSummary
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest
from backend.training.run_data.data_plan import DataPlan, leave_out
from backend.training.run_data.files import DataFiles
from backend.training.run_data.remarks import foreign_validation, remarks, spellings

_Wanted = Callable[[int], bool] | None  # Which rows, by position; None for all.

_NEEDS_TEMPLATE = ("chat", "completions")
_NOT_FOR_SFT = (
    "Use it under Enhanced Setup, where DPO, ORPO and CPO learn from both answers; or convert it "
    "to chat rows under Data → Convert, which keeps the chosen ones."
)


def plan_data(request: StartRequest, files: DataFiles, *, chat_template: bool | None) -> DataPlan:
    """Check all data of a request, in the form that its method needs. Raises BadContent, NotFound
    or Invalid naming the fields.
    """
    if not isinstance(request, StandardStart):
        return _plan_rows(request, files, check=lambda checked, field: None)
    plan = _plan_rows(
        request,
        files,
        test=_test_file(request, files),
        check=lambda checked, field: _check_form(checked, field, request, chat_template),
    )
    return replace(plan, warnings=(*plan.warnings, *remarks(plan.train, request, chat_template)))


def _plan_rows(
    request: StartRequest,
    files: DataFiles,
    *,
    check: Callable[[CheckedFile, str], None],
    test: CheckedFile | None = None,
) -> DataPlan:
    """The sets of a run whose files pass `check`, which is told the field and raises AppError."""
    needs = request.method.data_form
    train = files.check(request.train_data_path, field="train_data_path", needs=needs)
    valid, warnings = _validation_file(request, files, needs)
    for checked, field in ((train, "train_data_path"), (valid, "val_data_path"), (test, "test")):
        if checked is not None:
            check(checked, field)
    warnings += spellings(train, valid, test)
    if valid is not None and valid.path == train.path:
        text = (
            "The validation file is the training file, so validation can't tell learning from "
            "memorising."
        )
        hold_out = StartFix("Hold rows out instead", "val_data_path", "")
        warnings.append(StartWarning(text, code="same_validation", fix=hold_out))
    if request.val_data_path and valid is not None:
        warnings += foreign_validation(train, valid)
    plan = DataPlan(
        train=train,
        valid=valid,
        test=test,
        held_out=frozenset(),
        seed=request.seed,
        warnings=tuple(warnings),
    )
    return leave_out(plan, request, {})


def stage_data(plan: DataPlan, folder: Path) -> DataSummary:
    """Write `data/` of the run folder; answers what was written, by content.

    Raises BadContent when a file has changed since it was checked.
    """
    for checked in filter(None, (plan.train, plan.valid, plan.test)):
        if stamp_of(checked.path) != checked.stamp:
            raise _changed(checked.path)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    _give(plan.train, data / "train.jsonl", _trained(plan))
    if plan.held_out:
        _copy(plan.train, data / "valid.jsonl", plan.held_out.__contains__)
    if plan.valid is not None:
        _give(plan.valid, data / "valid.jsonl", _but(plan.skipped.get("val_data_path")))
    if plan.test is not None:
        _give(plan.test, data / "test.jsonl", _but(plan.skipped.get("test")))
    valid_source = plan.valid or plan.train
    left_out = {name: len(rows) for name, rows in plan.skipped.items()}
    summary = DataSummary(
        train=_described(
            data / "train.jsonl",
            plan.train.path,
            plan.train_rows,
            skipped=left_out.get("train_data_path", 0),
        ),
        valid=_described(
            data / "valid.jsonl",
            valid_source.path,
            plan.valid_rows,
            skipped=left_out.get("val_data_path", 0),
        )
        if plan.valid_rows
        else None,
        test=_described(
            data / "test.jsonl",
            plan.test.path,
            plan.rows_of("test"),
            skipped=left_out.get("test", 0),
        )
        if plan.test
        else None,
        format=plan.train.form,
        split_seed=plan.seed if plan.held_out else None,
    )
    write_json(data / DATA_SUMMARY, summary.model_dump(mode="json"))
    return summary


def foresee_data(plan: DataPlan) -> DataSummary:
    """What `stage_data` would write, by content: every row is read, and nothing is written."""

    def described(source: CheckedFile, rows: int, target: _Wanted) -> DataFile:
        return DataFile(path=str(source.path), sha256=_digest(source, target), rows=rows)

    held_out = plan.held_out
    return DataSummary(
        train=described(plan.train, plan.train_rows, _trained(plan)),
        valid=described(plan.valid, plan.valid_rows, _but(plan.skipped.get("val_data_path")))
        if plan.valid
        else described(plan.train, plan.valid_rows, held_out.__contains__)
        if held_out
        else None,
        format=plan.train.form,
        split_seed=plan.seed if held_out else None,
    )


def usable_as_it_is(checked: CheckedFile) -> bool:
    """Whether the engine can be given the very file."""
    return checked.clean and checked.form == checked.given


def engine_rows(checked: CheckedFile) -> Iterator[bytes]:
    """Every row as a line of the engine's own JSON. Raises BadContent when the file is not what
    was checked.
    """
    rows = 0
    for line in read_lines(checked.path):
        if line.row is None:
            continue
        rows += 1
        if checked.needs != "sft":
            yield _dumped(engine_row(line.row, checked.needs))
            continue
        if checked.form == checked.given and line.columns is None:
            yield line.raw.strip().replace(b"\r", b" ") + b"\n"
            continue
        try:
            row = line.row if checked.form == checked.given else trainable(line.row, checked.form)
        except (Unsuitable, LookupError, TypeError) as problem:
            raise _changed(checked.path) from problem
        yield _dumped(row)
    if rows != checked.rows:
        raise _changed(checked.path)


def _dumped(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _changed(path: Path) -> BadContent:
    return BadContent(
        f"{path} was changed while the run was being started.",
        hint="Start again once the file is complete.",
    )


def _validation_file(
    request: StartRequest, files: DataFiles, needs: DataNeeds
) -> tuple[CheckedFile | None, list[StartWarning]]:
    if request.val_data_path:
        path = request.val_data_path
        return files.check(path, field="val_data_path", name="valid.jsonl", needs=needs), []
    inside = Path(request.train_data_path).expanduser() / "valid.jsonl"
    if inside.is_file():  # The training path is a folder: its own validation set came with it.
        text = f"The folder's own {inside.name} is used for validation."
        own = StartWarning(text, code="own_validation", level="info")
        return files.check(str(inside), field="val_data_path", needs=needs), [own]
    return None, []


def _test_file(request: StandardStart, files: DataFiles) -> CheckedFile | None:
    if not request.test:
        return None
    path = Path(request.train_data_path).expanduser()
    beside = (path if path.is_dir() else path.parent) / "test.jsonl"
    if not beside.is_file():
        text = f"There is no test set: {beside} does not exist."
        raise Invalid(
            text,
            hint="Put a test.jsonl beside the training file, or turn the test off.",
            errors=[FieldProblem("test", text)],
        )
    return files.check(str(beside), field="test")


def _check_form(
    checked: CheckedFile, field: str, request: StandardStart, chat_template: bool | None
) -> None:
    if checked.form == "preference":
        raise _bad(
            field,
            f"{checked.path.name} holds preference rows (chosen and rejected answers), which "
            "fine-tuning can't use.",
            _NOT_FOR_SFT,
        )
    if checked.given in _NEEDS_TEMPLATE and chat_template is False:
        raise _bad(
            field,
            f"{checked.path.name} holds {checked.form} rows, but the model has no chat template "
            "to turn them into text.",
            'Use rows of the form {"text": …}, or an instruct version of the model.',
        )
    if not request.mask_prompt:
        return
    if checked.form == "text":
        raise _invalid(
            "mask_prompt",
            f"{checked.path.name} holds text rows, which have no prompt to leave out.",
            "Turn off training on answers only, or use chat or completion rows.",
        )
    if checked.unanswered is not None:
        raise _bad(
            field,
            f"Line {checked.unanswered} of {checked.path.name} does not end with an assistant "
            "message, so there is no answer to train on.",
            "End every conversation with an answer, or turn off training on answers only.",
        )


def _give(checked: CheckedFile, target: Path, file_rows: _Wanted) -> None:
    """The very file where the engine can use all of it, else its rows in the engine's form."""
    if file_rows is None and usable_as_it_is(checked):
        link_or_copy(checked.path, target)
    else:
        _copy(checked, target, file_rows)


def _copy(checked: CheckedFile, target: Path, file_rows: _Wanted) -> None:
    with target.open("xb") as out:
        out.writelines(_chosen(checked, file_rows))


def _digest(checked: CheckedFile, file_rows: _Wanted) -> str:
    if file_rows is None and usable_as_it_is(checked):
        return sha256_of(checked.path)
    digest = hashlib.sha256()
    for row in _chosen(checked, file_rows):
        digest.update(row)
    return digest.hexdigest()


def _chosen(checked: CheckedFile, file_rows: _Wanted) -> Iterator[bytes]:
    rows = enumerate(engine_rows(checked))
    return (row for position, row in rows if file_rows is None or file_rows(position))


def _but(rows: frozenset[int] | None) -> _Wanted:
    """All rows but these; None where that is all of them."""
    return (lambda position: position not in rows) if rows else None


def _trained(plan: DataPlan) -> _Wanted:
    return _but(plan.held_out | plan.skipped.get("train_data_path", frozenset()))


def _described(path: Path, source: Path, rows: int, *, skipped: int) -> DataFile:
    return DataFile(path=str(source), sha256=sha256_of(path), rows=rows, skipped=skipped)


def _bad(field: str, text: str, hint: str) -> AppError:
    return BadContent(text, hint=hint, errors=[FieldProblem(field, text)])


def _invalid(field: str, text: str, hint: str) -> AppError:
    return Invalid(text, hint=hint, errors=[FieldProblem(field, text)])
