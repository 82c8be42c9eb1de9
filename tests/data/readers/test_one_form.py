"""Rows of which only some have a system text, or a history, are rows of one form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.data.checks.checked_file import check_file
from backend.data.checks.method_check import check_rows
from backend.data.checks.scan import scan
from backend.data.readers.data_file import read_lines

PAIR = {"prompt": "what?", "completion": "river"}
ALPACA = {"instruction": "what?", "input": "", "output": "river"}
CHAT = {"messages": [{"role": "user", "content": "what?"}, {"role": "assistant", "content": "so"}]}
SHARED = {"conversations": [{"from": "human", "value": "what?"}, {"from": "gpt", "value": "so"}]}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("plain", "more", "form"),
    [
        (PAIR, {"system": "Be kind."}, "chat"),
        (PAIR, {"system_prompt": "Be kind."}, "chat"),
        ({"question": "what?", "response": "river"}, {"system": "Be kind."}, "chat"),
        (ALPACA, {"history": [["one?", "1"]]}, "chat"),
        (ALPACA, {"system": "Be kind."}, "alpaca"),
        (CHAT, {"system": "Be kind."}, "chat"),
        (SHARED, {"system": "Be kind."}, "sharegpt"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_column_that_some_rows_have_leaves_one_form(
    plain: dict[str, Any], more: dict[str, Any], form: str, first: bool, name: str, tmp_path: Path
) -> None:
    rows = [{**plain, **more}, plain, plain] if first else [plain, plain, {**plain, **more}]
    path = write(tmp_path / name, rows)
    if name.endswith(".json"):
        path.write_text(json.dumps(rows))

    checked = check_file(path, "sft")

    assert (checked.form, checked.rows) == (form, 3)
    assert check_rows(path, "sft").error is None
    assert scan(path).good_rows == 3
    told = json.dumps([line.row for line in read_lines(path)])
    assert told.count("Be kind.") + told.count("one?") == 1


@pytest.mark.parametrize("deeper", [{"meta": {"system": "linux"}}, {"tools": [{"system": 1}]}])
def test_a_key_that_stands_deeper_changes_no_row(deeper: dict[str, Any], tmp_path: Path) -> None:
    rows = [PAIR, {**PAIR, **deeper}, PAIR]
    path = write(tmp_path / "rows.jsonl", rows)

    assert [line.row for line in read_lines(path)] == rows
    assert check_file(path, "sft").form == "completions"


def test_rows_beside_one_with_a_system_text_keep_every_column(tmp_path: Path) -> None:
    """What a run gets of them is what it would get of them alone, with their tools."""
    plain = {**PAIR, "tools": [{"type": "function", "function": {"name": "f"}}], "id": 7}
    path = write(tmp_path / "rows.jsonl", [plain, {**PAIR, "system": "Be kind."}])

    first = next(read_lines(path))

    turns = [{"role": "user", "content": "what?"}, {"role": "assistant", "content": "river"}]
    assert first.row == {"messages": turns, "tools": plain["tools"], "id": 7}
    assert first.written == plain
    assert first.readings == (
        "a row without 'system' is read as a conversation, as others of the file have it",
    )


def test_rows_without_any_stay_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [PAIR, {**PAIR, "completion": 'a "system": b'}])

    checked = check_file(path, "sft")

    assert (checked.form, checked.clean, checked.readings) == ("completions", True, ())


def test_rows_of_two_forms_are_still_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [CHAT, PAIR])

    assert "Line 2 has no 'messages'" in str(check_rows(path, "sft").error)
