"""Every accepted kind of file gives the same rows, and hostile ones an answer instead of a hang."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.data.readers.data_file import Line, data_file, read_lines
from backend.data.readers.json_document import read_document
from backend.data.rows.formats import check
from backend.errors import BadContent, NotFound

ROWS = [{"prompt": "What?", "answer": "This, “that”."}, {"prompt": "Naïve\n2", "answer": "🎉"}]


def rows_of(path: Path) -> list[Any]:
    return [line.row for line in read_lines(path) if line.row is not None]


def problems_of(path: Path) -> list[tuple[int, str]]:
    return [(line.number, line.problem) for line in read_lines(path) if line.problem]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_jsonl(rows: list[object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", as_jsonl(list(ROWS))),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps(ROWS, indent=2)),
        ("a.json", "\ufeff" + json.dumps(ROWS)),
        ("a.json", json.dumps({"version": {"n": 1}, "data": ROWS, "more": [1]})),
        ("a.json", json.dumps({"rows": ROWS}, indent=1)),
        ("a.json", as_jsonl(list(ROWS))),
        ("a.csv", 'prompt,answer\nWhat?,"This, “that”."\n"Naïve\n2",🎉\n'),
        ("a.csv", '\ufeffprompt;answer\r\nWhat?;This, “that”.\r\n"Naïve\n2";🎉\r\n'),
        ("a.tsv", 'prompt\tanswer\nWhat?\tThis, “that”.\n"Naïve\n2"\t🎉\n'),
    ],
)
def test_one_content_is_read_alike_from_every_kind_of_file(
    tmp_path: Path, name: str, content: str
) -> None:
    assert rows_of(write(tmp_path / name, content)) == ROWS


def test_only_json_lines_are_clean_enough_for_the_engine(tmp_path: Path) -> None:
    for name, content in (("a.jsonl", as_jsonl(list(ROWS))), ("a.json", json.dumps(ROWS))):
        lines = list(read_lines(write(tmp_path / name, content)))

        assert all(line.clean for line in lines) == (name == "a.jsonl")
        assert [json.loads(line.raw) for line in lines] == ROWS


def test_a_list_much_longer_than_the_window_is_read_whole(tmp_path: Path) -> None:
    rows = [{"text": f"row {number} " + "ä" * (number % 700)} for number in range(3000)]

    path = write(tmp_path / "a.json", json.dumps({"train": rows}, ensure_ascii=False))

    assert path.stat().st_size > 5 * 256 * 1024
    assert rows_of(path) == rows


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.none()
            | st.integers()
            | st.text(max_size=20)
            | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2),
            max_size=4,
        ),
        max_size=6,
    ),
    st.sampled_from([None, 1]),
)
def test_any_list_of_objects_comes_back(rows: list[object], indent: int | None) -> None:
    file = BytesIO(json.dumps(rows, indent=indent).encode())

    assert [line.row for line in read_document(file)] == rows


@pytest.mark.parametrize(
    ("content", "number", "says"),
    [
        ('[{"a": 1}, 3]', 2, "not a JSON object but a number"),
        ('[{"a": 1}, // two', 2, "JSON has no comments"),
        ('[{"a": 1},]', 2, "a comma stands before the ]"),
        ('[{"a": 1}, {"a" 2}]', 2, "can't be read"),
        ('[{"a": 1} {"a": 2}]', 2, "comma"),
        ('[{"a": 1}', 2, "ends too early"),
        ('{"meta": 1,\n "other": []}', 1, "no list"),
        ('[{"a": "' + "x" * (2 * 1024 * 1024) + '"}]', 1, "longer than 1 MiB"),
        (b'[{"a": "\xff"}]', 1, "UTF-8"),
        ("[" * 100_000, 1, "can't be read"),
    ],
)
def test_a_broken_document_is_told_by_the_item(
    tmp_path: Path, content: str | bytes, number: int, says: str
) -> None:
    found = problems_of(write(tmp_path / "a.json", content))

    assert found[0][0] == number
    assert says in found[0][1]


@pytest.mark.parametrize(
    ("content", "number", "says"),
    [
        ("a,b\n1,2,3\n", 2, "3 cells"),
        ("a,a\n1,2\n", 1, "twice"),
        (",\n1,2\n", 1, "empty"),
        ('a,b\n1,"2\n3,4\n', 2, "not valid CSV"),
        (b"a,b\n1,\xff\n", 2, "UTF-8"),
        ("messages\n[broken\n", 2, "not valid JSON"),
        ("a\n" + "x" * (2 * 1024 * 1024), 2, "longer than 1 MiB"),
    ],
)
def test_a_broken_table_is_told_by_the_line(
    tmp_path: Path, content: str | bytes, number: int, says: str
) -> None:
    found = problems_of(write(tmp_path / "a.csv", content))

    assert found[0][0] == number
    assert says in found[0][1]


def test_a_record_is_numbered_by_the_line_it_begins_in(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'text\n"one\ntwo"\n\nthree\n')

    assert [(line.number, line.row) for line in read_lines(path) if line.row] == [
        (2, {"text": "one\ntwo"}),
        (5, {"text": "three"}),
    ]


def test_a_conversation_may_stand_in_a_cell(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    cell = json.dumps(turns).replace('"', '""')

    assert rows_of(write(tmp_path / "a.csv", f'id,messages\n1,"{cell}"\n')) == [
        {"id": "1", "messages": turns}
    ]


def write_parquet(path: Path, rows: Sequence[Any], **options: Any) -> Path:
    parquet.write_table(arrow.Table.from_pylist(rows), path, **options)
    return path


def test_a_parquet_file_gives_the_rows_that_json_lines_would(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Naïve “🎉”?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"type": "function", "function": {"name": "f"}}],
        },
    ]
    rows = [
        {"prompt": "a", "answer": "b", "score": 1.5, "messages": turns},
        {"prompt": "c", "answer": "d", "score": float("nan"), "messages": None},
        {"prompt": "e", "answer": "f", "score": None, "messages": []},
    ]

    found = list(read_lines(write_parquet(tmp_path / "a.parquet", rows)))

    assert [line.number for line in found] == [1, 2, 3]
    assert not any(line.clean or line.problem for line in found)
    assert [json.loads(line.raw) for line in found] == [line.row for line in found]
    assert [line.row for line in found] == [
        {"prompt": "a", "answer": "b", "score": 1.5, "messages": turns},
        {"prompt": "c", "answer": "d"},
        {"prompt": "e", "answer": "f", "messages": []},
    ]


def test_columns_that_json_lacks_do_not_spoil_a_parquet_row(tmp_path: Path) -> None:
    row = {"text": "a", "day": date(2026, 1, 2), "price": Decimal("1.50"), "image": b"123"}

    (line,) = read_lines(write_parquet(tmp_path / "a.parquet", [row]))

    assert line.row == {"text": "a", "day": "2026-01-02", "price": "1.50", "image": "(3 bytes)"}


def test_a_parquet_row_that_is_too_long_is_told_by_its_number(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "x" * (2 * 1024 * 1024)}, {"text": "c"}]

    path = write_parquet(tmp_path / "a.parquet", rows, row_group_size=2)

    assert problems_of(path) == [(2, "is longer than 1 MiB")]
    assert rows_of(path) == [rows[0], rows[2]]


def test_a_parquet_file_is_left_in_the_middle_without_leaving_its_reader(tmp_path: Path) -> None:
    rows = [{"text": f"row {number} " + "x" * 1000} for number in range(2000)]
    lines = read_lines(write_parquet(tmp_path / "a.parquet", rows))
    assert next(lines).row == rows[0]
    assert children() != set()

    lines.close()  # type: ignore[attr-defined]

    assert children() == set()


def children() -> set[str]:
    """The living readers that this process has started."""
    found = psutil.Process().children()
    return {word for child in found for word in child.cmdline() if word.endswith("parquet_child")}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 99 + b"PAR1"])
def test_a_broken_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadContent, match=r"a\.parquet is not a readable Parquet file"):
        list(read_lines(write(tmp_path / "a.parquet", content)))


def test_a_reader_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\necho 'No module named pyarrow' >&2\nexit 1\n")
    dying.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(dying))

    with pytest.raises(BadContent, match="No module named pyarrow"):
        list(read_lines(write(tmp_path / "a.parquet", b"PAR1")))


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")

    with pytest.raises(BadContent, match="regular file"):
        data_file(tmp_path / "pipe.jsonl")
    with pytest.raises(NotFound):
        data_file(tmp_path / "nothing.jsonl")


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_a_huge_file_of_zeros_is_given_up_early(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"zeros.{kind}"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)

    lines: list[Line] = list(read_lines(path))

    assert len(lines) <= 2
    assert any(line.problem for line in lines)


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_turn_that_calls_a_tool_needs_no_text(content: str | None) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {}}}
    answer = {"role": "assistant", "content": content, "tool_calls": [call]}

    assert check({"messages": [{"role": "user", "content": "a"}, answer]}, "chat") is None


def test_a_path_with_a_slip_is_answered_with_the_name_that_is_there(tmp_path: Path) -> None:
    there = write(tmp_path / "support_rows.jsonl", "{}")
    with pytest.raises(NotFound) as refused:
        data_file(str(tmp_path / "suport_rows.jsonl"))
    assert refused.value.hint == f"Did you mean {there}?"
    with pytest.raises(NotFound) as refused:
        data_file(str(tmp_path / "else.csv"))
    assert "Check the path" in str(refused.value.hint)


def test_a_path_that_begins_nowhere_is_to_be_given_whole() -> None:
    with pytest.raises(NotFound) as refused:
        data_file("no-such-rows.jsonl")
    assert "whole path" in str(refused.value.hint)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        data_file(str(tmp_path / "gone" / "rows.jsonl"))
    assert "folder is not there" in str(refused.value.hint)
