from __future__ import annotations

import asyncio
import json
import os
import threading
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from backend.core.hub import Hub
from backend.data import service
from backend.data.checks.scan import scan
from backend.data.schemas import DatasetInspection, InspectRequest
from backend.data.service import DatasetCatalog
from backend.data.write import atomic_output
from backend.errors import (
    AlreadyExists,
    AppError,
    BadContent,
    Invalid,
    NoDiskSpace,
    NotFound,
    TooLarge,
)
from tests.models.folders import settings_for

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}


def catalog(tmp_path: Path) -> DatasetCatalog:
    return DatasetCatalog(settings_for(tmp_path, tmp_path / "models"), Hub())


def inspected(tmp_path: Path, content: bytes | str) -> DatasetInspection:
    path = tmp_path / "train.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return scan(path)


async def looked_at(tmp_path: Path, path: object) -> DatasetInspection:
    return await catalog(tmp_path).inspect(InspectRequest(path=str(path)))


FORMS = [
    ({"text": "Hello"}, "text"),
    (CHAT, "chat"),
    ({"prompt": "a", "completion": "b"}, "completions"),
    ({"prompt": "a", "answer": "b", "system": "c"}, "grpo"),
    ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference"),
    ({"instruction": "a", "input": "", "output": "b"}, "alpaca"),
    ({"conversations": [{"from": "gpt", "value": "a"}]}, "sharegpt"),
]


@pytest.mark.parametrize(("row", "form"), FORMS, ids=[form for _, form in FORMS])
def test_each_form_is_told_by_its_keys(tmp_path: Path, row: dict[str, object], form: str) -> None:
    seen = inspected(tmp_path, (json.dumps(row) + "\n") * 3)

    assert (seen.format, seen.rows, seen.problem_count) == (form, 3, 0)
    assert seen.columns == list(row)
    assert seen.sample[0] == row


def test_a_row_that_setup_would_refuse_is_told_here_already(tmp_path: Path) -> None:
    turns = [{"from": "gpt", "value": "a"}]
    strange = [{"from": "narrator", "value": "b"}]
    rows = [{"conversations": said} for said in (turns, strange)]

    seen = inspected(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))

    assert [problem.message for problem in seen.problems] == [
        "Line 2 has a turn 1 from 'narrator'."
    ]
    assert (seen.rows, seen.good_rows) == (2, 1)


LINES: list[tuple[str, bytes, str]] = [
    ("wrong JSON", b'{"messages": [', "not valid JSON"),
    ("a list", b"[1]", "list"),
    ("a number that JSON does not have", b'{"messages": NaN}', "not a list"),
    ("another encoding", '{"text": "café"}'.encode("latin-1"), "UTF-8"),
    ("half of a character", b'{"text": "\\ud83d"}', "half of a character"),
    ("a missing key", b'{"text": "other"}', "messages"),
    ("an unknown role", b'{"messages": [{"role": "boss", "content": "x"}]}', "boss"),
    ("an empty answer", b'{"messages": [{"role": "assistant", "content": " "}]}', "empty answer"),
    ("no answer", b'{"messages": [{"role": "user", "content": "x"}]}', "no assistant"),
    ("a megabyte and more", b'{"text": "' + b"x" * 1_100_000 + b'"}', "longer than 1 MiB"),
    ("brackets without end", b"[" * 100_000, "JSON"),
]


@pytest.mark.parametrize(
    ("line", "named"), [row[1:] for row in LINES], ids=[row[0] for row in LINES]
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: bytes, named: str) -> None:
    good = json.dumps(CHAT).encode() + b"\n"

    seen = inspected(tmp_path, good * 6 + line + b"\n" + good)

    assert seen.problem_count == 1
    assert seen.problems[0].line == 7
    assert seen.problems[0].message.startswith("Line 7 ")
    assert named in seen.problems[0].message
    assert seen.rows in (7, 8)


def test_a_byte_order_mark_and_blank_lines_are_no_problem(tmp_path: Path) -> None:
    seen = inspected(tmp_path, b"\xef\xbb\xbf" + b'{"text": "a"}\r\n\n  \n{"text": "b"}\n\n')

    assert (seen.rows, seen.problem_count) == (2, 0)


def test_an_empty_file_has_a_problem(tmp_path: Path) -> None:
    seen = inspected(tmp_path, "")

    assert (seen.rows, seen.problems[0].line) == (0, 0)
    assert "empty" in seen.problems[0].message


async def test_a_folder_means_its_training_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "data" / "valid.jsonl").write_text('{"text": "b"}\n')

    seen = await looked_at(tmp_path, tmp_path / "data")

    assert seen.path == str(tmp_path / "data" / "train.jsonl")
    assert seen.valid_beside == str(tmp_path / "data" / "valid.jsonl")


async def test_what_is_no_regular_file_is_refused_without_hanging(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)

    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(BadContent, match="not a regular file"):
            await looked_at(tmp_path, path)
    for missing in (tmp_path / "nowhere.jsonl", tmp_path, "\0"):
        with pytest.raises(NotFound):
            await looked_at(tmp_path, missing)


def test_a_huge_file_of_zeros_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
    tracemalloc.start()
    try:
        seen = scan(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert seen.problem_count == 1
    assert peak < 20_000_000


def test_long_texts_are_clipped_and_many_problems_only_counted(tmp_path: Path) -> None:
    rows = [json.dumps({"text": "x" * 50_000})] + ['{"text": ""}'] * 300

    seen = inspected(tmp_path, "\n".join(rows))

    assert len(seen.sample[0]["text"]) < 3000
    assert (seen.problem_count, len(seen.problems)) == (300, 100)


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_an_upload_is_kept_under_a_safe_name(tmp_path: Path) -> None:
    answer = await catalog(tmp_path).store("my data (1).jsonl", body(b"abc", b"def"))

    assert answer.path == str(tmp_path / "datasets" / "my_data_1_.jsonl")
    assert content_of(answer.path) == b"abcdef"
    assert answer.size_bytes == 6


async def test_the_same_upload_twice_is_one_file_and_another_is_refused(tmp_path: Path) -> None:
    kept = catalog(tmp_path)
    first = await kept.store("rows.jsonl", body(b"one"))

    assert await kept.store("rows.jsonl", body(b"one")) == first
    with pytest.raises(AlreadyExists):
        await kept.store("rows.jsonl", body(b"two"))
    assert content_of(first.path) == b"one"
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["rows.jsonl"]


async def test_of_two_uploads_of_one_name_at_once_neither_replaces_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when both have looked whether the name is free before either takes it."""
    kept, together, exists = catalog(tmp_path), threading.Barrier(2), Path.exists

    def both_look(path: Path) -> bool:
        found = exists(path)
        with suppress(threading.BrokenBarrierError):
            together.wait(1)
        return found

    monkeypatch.setattr(Path, "exists", both_look)
    answers = await asyncio.gather(
        *(kept.store("rows.jsonl", body(content)) for content in (b"one", b"two")),
        return_exceptions=True,
    )

    (refused,) = [each for each in answers if isinstance(each, AlreadyExists)]
    first = b"two" if refused is answers[0] else b"one"
    assert content_of(str(tmp_path / "datasets" / "rows.jsonl")) == first


@pytest.mark.parametrize("name", ["../rows.jsonl", "a/b.jsonl", "a\\b.jsonl", "rows.exe", ".jsonl"])
async def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        await catalog(tmp_path).store(name, body(b"x"))


@pytest.mark.parametrize(
    ("room", "limit", "value", "error"),
    [(service, "UPLOAD_CAP", 4, TooLarge), (atomic_output, "_SPARE", 1 << 62, NoDiskSpace)],
)
async def test_an_upload_over_a_limit_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: ModuleType, limit: str, value: int,
    error: type[AppError],
) -> None:  # fmt: skip
    monkeypatch.setattr(room, limit, value)

    with pytest.raises(error):
        await catalog(tmp_path).store("rows.jsonl", body(b"abc", b"def"))
    assert list((tmp_path / "datasets").iterdir()) == []
