from __future__ import annotations

import asyncio
import csv
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from backend.errors import AppError, BadContent, Invalid, NotFound
from backend.training.run_data.data_plan import DataPlan
from backend.training.run_data.files import DataFiles
from backend.training.run_data.prepare import foresee_data, plan_data, stage_data
from tests.training.requests import CHAT, numbered, request, write_rows


def planned(chat_template: bool | None = True, **fields: Any) -> DataPlan:
    files, asked = DataFiles(), request(**fields)
    plan = partial(plan_data, asked, files, chat_template=chat_template)
    return asyncio.run(files.during(plan))


def refused(chat_template: bool | None = True, **fields: Any) -> AppError:
    with pytest.raises(AppError) as refusal:
        planned(chat_template, **fields)
    assert refusal.value.errors, "the form must know which field"
    assert refusal.value.status in (400, 404, 422)
    return refusal.value


def rows_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_good_file_is_linked_and_described(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "a.jsonl", 8)
    valid = write_rows(tmp_path / "b.jsonl", 3)

    plan = planned(train_data_path=str(train), val_data_path=str(valid))
    summary = stage_data(plan, tmp_path / "run")

    assert (tmp_path / "run" / "data" / "train.jsonl").samefile(train)
    assert (tmp_path / "run" / "data" / "valid.jsonl").samefile(valid)
    assert summary.train is not None
    assert (summary.train.path, summary.train.rows) == (str(train), 8)
    assert len(summary.train.sha256) == 64
    assert summary.format == "chat"
    assert plan.warnings == ()


def test_without_a_validation_file_a_seeded_part_is_held_out_and_said_so(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "a.jsonl", 20)

    plan = planned(train_data_path=str(train), val_split=0.25, seed=3)
    summary = stage_data(plan, tmp_path / "run")

    kept = rows_of(tmp_path / "run" / "data" / "train.jsonl")
    held = rows_of(tmp_path / "run" / "data" / "valid.jsonl")
    assert (len(kept), len(held)) == (15, 5)
    assert sorted(kept + held, key=str) == sorted(map(numbered, range(20)), key=str)
    assert summary.split_seed == 3
    assert "5 of the 20 rows are held out" in plan.warnings[0]
    again = planned(train_data_path=str(train), val_split=0.25, seed=3)
    other = planned(train_data_path=str(train), val_split=0.25, seed=4)
    assert again.held_out == plan.held_out != other.held_out


@pytest.mark.parametrize(("rows", "split"), [(10, 0.1), (11, 0.1), (10, 0.8), (3, 0.1)])
def test_the_batch_size_that_is_suggested_works(tmp_path: Path, rows: int, split: float) -> None:
    """Where rows are held out, both parts need a whole batch."""
    path = write_rows(tmp_path / "rows.jsonl", rows)
    given: dict[str, Any] = {"train_data_path": str(path), "val_split": split}
    for asked in (rows + 1, rows):
        hint = refused(**given, batch_size=asked).hint or ""
        found = re.fullmatch(r"Use a batch size of at most (\d+), or give .*", hint)
        assert found, hint
        most = int(found[1])
        planned(**given, batch_size=most)
        refused(**given, batch_size=most + 1)


def test_one_row_can_t_be_shared(tmp_path: Path) -> None:
    only = write_rows(tmp_path / "rows.jsonl", 1)
    assert "validation file, more rows" in (refused(train_data_path=str(only)).hint or "")


def test_a_split_holds_at_least_one_batch(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "a.jsonl", 10)

    plan = planned(train_data_path=str(train), batch_size=4)

    assert (plan.train_rows, plan.valid_rows) == (6, 4)


def test_what_the_engine_would_stumble_over_is_copied_clean(tmp_path: Path) -> None:
    train = tmp_path / "a.jsonl"
    line = json.dumps(CHAT)
    train.write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n\n{line}\n   \n".encode())

    stage_data(planned(train_data_path=str(train), val_data_path=str(train)), tmp_path / "run")

    data = (tmp_path / "run" / "data" / "train.jsonl").read_bytes()
    assert data == f"{line}\n{line}\n".encode()


def turns(*said: str) -> list[dict[str, str]]:
    roles = ("user", "assistant") if len(said) == 2 else ("system", "user", "assistant")
    return [{"role": role, "content": text} for role, text in zip(roles, said, strict=True)]


SHAREGPT = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
CONVERTED: list[tuple[str, dict[str, Any], list[dict[str, str]], str]] = [
    (
        "prompt/answer",
        {"prompt": "2+2", "answer": "4", "system": "Sum."},
        turns("Sum.", "2+2", "4"),
        "a.jsonl",
    ),
    ("alpaca", {"instruction": "a", "input": "b", "output": "c"}, turns("a\n\nb", "c"), "a.json"),
    ("alpaca", {"instruction": "a", "input": "", "output": "c"}, turns("a", "c"), "a.csv"),
    ("sharegpt", {"conversations": SHAREGPT, "system": "S"}, turns("S", "a", "b"), "a.jsonl"),
    ("prompt/answer", {"prompt": "a", "answer": "b"}, turns("a", "b"), "a.tsv"),
    ("sharegpt", {"conversations": SHAREGPT, "id": 1}, turns("a", "b"), "a.parquet"),
]


def write_as(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as the kind of file that the name says."""
    if path.suffix == ".jsonl":
        return write_rows(path, rows)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1))
        return path
    if path.suffix == ".parquet":
        parquet.write_table(arrow.Table.from_pylist(rows), path)
        return path
    with path.open("w", newline="") as file:
        table = csv.DictWriter(
            file, list(rows[0]), delimiter="," if path.suffix == ".csv" else "\t"
        )
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.parametrize(("called", "row", "messages", "name"), CONVERTED)
@pytest.mark.parametrize("mask", [False, True])
def test_rows_of_other_forms_become_conversations_and_it_is_said(
    tmp_path: Path,
    called: str,
    row: dict[str, Any],
    messages: list[dict[str, str]],
    name: str,
    mask: bool,
) -> None:
    train = write_as(tmp_path / name, [row] * 4)
    before = train.read_bytes()

    plan = planned(train_data_path=str(train), val_data_path=str(train), mask_prompt=mask)
    stage_data(plan, tmp_path / "run")

    for staged in ("train.jsonl", "valid.jsonl"):
        assert rows_of(tmp_path / "run" / "data" / staged) == [{"messages": messages}] * 4
    assert any(
        f"The {called} rows are turned into conversations" in warning for warning in plan.warnings
    )
    assert train.read_bytes() == before


def test_rows_of_other_forms_are_split_as_well(tmp_path: Path) -> None:
    rows = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(10)]

    plan = planned(train_data_path=str(write_as(tmp_path / "a.csv", rows)), val_split=0.3)
    stage_data(plan, tmp_path / "run")

    parts = [rows_of(tmp_path / "run" / "data" / name) for name in ("train.jsonl", "valid.jsonl")]
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(parts[0] + parts[1], key=str) == sorted(map(numbered, range(10)), key=str)


def test_a_folder_brings_its_own_validation_set(tmp_path: Path) -> None:
    write_rows(tmp_path / "set" / "train.jsonl", 5)
    write_rows(tmp_path / "set" / "valid.jsonl", 2)

    plan = planned(train_data_path=str(tmp_path / "set"))

    assert (plan.train_rows, plan.valid_rows, plan.held_out) == (5, 2, frozenset())


def test_a_file_changed_after_the_check_is_not_used(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "a.jsonl", 8)
    plan = planned(train_data_path=str(train))
    write_rows(train, 9)

    with pytest.raises(BadContent, match="changed"):
        stage_data(plan, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_test_set_is_staged_when_it_is_wanted(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "train.jsonl", 8)
    write_rows(tmp_path / "test.jsonl", 2)

    plan = planned(train_data_path=str(train), test=True)
    summary = stage_data(plan, tmp_path / "run")

    assert summary.test is not None and summary.test.rows == 2


# The failure matrix of the engine (guides/engines.md, 1.4): each is refused before a start.


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    problem = refused(train_data_path=str(tmp_path / "nowhere.jsonl"))

    assert isinstance(problem, NotFound)
    assert problem.errors[0].field == "train_data_path"
    assert "nowhere.jsonl" in problem.detail


def test_a_folder_without_a_training_file_is_refused(tmp_path: Path) -> None:
    assert "train.jsonl" in refused(train_data_path=str(tmp_path)).detail


CONTENTS: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "empty"),
    ("blank lines only", b"\n\n", "empty"),
    ("wrong JSON in line 7", b'{"text": "a"}\n' * 6 + b"{oops\n", "Line 7 of rows.jsonl"),
    ("a line with a list", b"[[1]]", "Line 1 of rows.jsonl"),
    ("another encoding", '{"text": "é"}'.encode("latin-1"), "UTF-8"),
    ("unknown columns", b'{"foo": 1}\n', "'foo'"),
    ("a later row without the key", b'{"text": "a"}\n{"txt": "b"}\n', "Line 2 of rows.jsonl"),
    ("an empty text", b'{"text": "a"}\n{"text": ""}\n', "Line 2 of rows.jsonl has an empty 'text'"),
    ("preference rows", b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n' * 4, "preference"),
    ("alpaca rows without an answer", b'{"instruction": "a", "output": ""}\n', "Line 1 of rows"),
    (
        "a strange speaker",
        b'{"conversations": [{"from": "gpt", "value": "b"}]}\n'
        b'{"conversations": [{"from": "narrator", "value": "b"}]}\n',
        "Line 2 of rows.jsonl has a turn 1 from 'narrator'",
    ),
    (
        "a conversation without an answer",
        b'{"conversations": [{"from": "human", "value": "b"}]}\n',
        "Line 1 of rows.jsonl has no assistant message",
    ),
]


@pytest.mark.parametrize(
    ("content", "named"), [row[1:] for row in CONTENTS], ids=[row[0] for row in CONTENTS]
)
def test_a_file_that_would_end_the_run_is_refused(
    tmp_path: Path, content: bytes, named: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)

    problem = refused(train_data_path=str(path))

    assert isinstance(problem, BadContent)
    assert named in problem.detail
    assert problem.errors[0].field == "train_data_path"


def test_preference_rows_are_sent_where_they_can_be_used(tmp_path: Path) -> None:
    row = {"prompt": "a", "chosen": "b", "rejected": "c"}

    problem = refused(train_data_path=str(write_rows(tmp_path / "a.jsonl", 4, row)))

    assert "Enhanced Setup" in (problem.hint or "") and "Convert" in (problem.hint or "")


def test_a_bad_validation_file_names_its_own_field(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "a.jsonl", 8)
    (tmp_path / "v.jsonl").write_text("{oops")

    problem = refused(train_data_path=str(train), val_data_path=str(tmp_path / "v.jsonl"))

    assert problem.errors[0].field == "val_data_path"
    assert "Line 1 of v.jsonl" in problem.detail


@pytest.mark.parametrize(("train", "valid"), [(3, 8), (8, 3)])
def test_a_batch_larger_than_a_set_is_refused(tmp_path: Path, train: int, valid: int) -> None:
    problem = refused(
        train_data_path=str(write_rows(tmp_path / "a.jsonl", train)),
        val_data_path=str(write_rows(tmp_path / "b.jsonl", valid)),
        batch_size=4,
    )

    assert isinstance(problem, Invalid)
    assert problem.errors[0].field == "batch_size"
    assert "has 3 rows" in problem.detail


def test_too_few_rows_to_split_are_refused(tmp_path: Path) -> None:
    problem = refused(train_data_path=str(write_rows(tmp_path / "a.jsonl", 1)))

    assert "too few" in problem.detail


@pytest.mark.parametrize("row", [None, {"instruction": "a", "output": "b"}])
def test_conversations_need_a_chat_template(tmp_path: Path, row: Any) -> None:
    path = write_rows(tmp_path / "a.jsonl", 8, row)

    assert "chat template" in refused(chat_template=False, train_data_path=str(path)).detail


def test_text_rows_have_no_prompt_to_mask(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", 8, {"text": "a"})

    problem = refused(train_data_path=str(path), mask_prompt=True)

    assert problem.errors[0].field == "mask_prompt"


def test_a_conversation_without_a_last_answer_has_nothing_to_learn_when_masked(
    tmp_path: Path,
) -> None:
    open_end = {"messages": [*CHAT["messages"], {"role": "user", "content": "And?"}]}
    path = write_rows(tmp_path / "a.jsonl", [CHAT, CHAT, open_end])

    assert planned(train_data_path=str(path)).train.rows == 3
    assert "Line 3 of a.jsonl" in refused(train_data_path=str(path), mask_prompt=True).detail


def test_a_converted_conversation_must_end_with_an_answer_too_when_masked(tmp_path: Path) -> None:
    open_end = [*SHAREGPT, {"from": "human", "value": "And?"}]
    path = write_rows(tmp_path / "a.jsonl", [{"conversations": t} for t in (SHAREGPT, open_end)])

    assert planned(train_data_path=str(path), val_data_path=str(path)).train.rows == 2
    problem = refused(train_data_path=str(path), mask_prompt=True)
    assert "Line 2 of a.jsonl" in problem.detail


def test_a_missing_test_set_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", 8)

    assert refused(train_data_path=str(path), test=True).errors[0].field == "test"


def test_no_validation_at_all_is_allowed_and_said(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", 4)
    plan = planned(train_data_path=str(path), val_split=0.0, batch_size=4)

    summary = stage_data(plan, tmp_path / "run")

    assert (plan.train_rows, plan.valid_rows, summary.valid) == (4, 0, None)
    assert not (tmp_path / "run" / "data" / "valid.jsonl").exists()
    assert foresee_data(plan).valid is None
    assert any("no best adapter and no early stop" in warning for warning in plan.warnings)


def test_a_validation_file_of_another_form_folder_or_system_prompt_is_questioned(
    tmp_path: Path,
) -> None:
    (tmp_path / "foreign").mkdir()
    train = write_rows(tmp_path / "a.jsonl", 8, {"text": "A line."})
    captain = [{"role": "system", "content": "Speak as a sea captain."}, *CHAT["messages"]]
    valid = write_rows(tmp_path / "foreign" / "valid.jsonl", 4, {"messages": captain})

    (doubt,) = planned(train_data_path=str(train), val_data_path=str(valid)).warnings

    assert doubt.startswith("The validation file valid.jsonl may not belong to a.jsonl: ")
    assert "its rows are chat, not text" in doubt
    assert f"it is in another folder ({valid.parent})" in doubt
    assert "its system prompt is “Speak as a sea captain.”, not none" in doubt


def test_a_validation_file_beside_rows_of_the_same_kind_is_not_questioned(tmp_path: Path) -> None:
    row = {"messages": [{"role": "system", "content": "Be brief."}, *CHAT["messages"]]}
    train = write_rows(tmp_path / "a.jsonl", 8, row)
    valid = write_rows(tmp_path / "b.jsonl", 4, row)

    assert planned(train_data_path=str(train), val_data_path=str(valid)).warnings == ()
