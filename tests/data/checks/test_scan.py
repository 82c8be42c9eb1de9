from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.data.checks.sample import SampleWriter
from backend.data.checks.scan import scan
from backend.errors import BadContent

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}


def write(path: Path, *lines: Any) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def sampled(path: Path) -> tuple[list[tuple[int, int]], dict[str, int]]:
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(item["index"], item["line"]) for item in items[:-1]], items[-1]


def test_every_bad_line_is_named_and_the_good_ones_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, "{broken", "", {"messages": []}, GOOD)

    found = scan(path)

    assert (found.format, found.rows, found.good_rows, found.problem_count) == ("chat", 3, 2, 2)
    assert [problem.line for problem in found.problems] == [2, 4]
    assert found.problems[0].message.startswith("Line 2 is not valid JSON")


def test_duplicates_are_told_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "a"}, {"text": "b"}, {"id": 1, "text": "a"})

    found = scan(path).duplicates

    assert found is not None
    assert (found.rows, found.groups[0].lines, found.groups[0].count) == (1, [1, 3], 2)


def test_validation_rows_that_are_trained_on_are_found(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", {"text": "a"}, {"text": "b"})
    valid = write(tmp_path / "valid.jsonl", {"text": "c"}, {"text": "b"}, {"text": "b"})

    found = scan(train, valid=valid).leakage

    assert found is not None
    assert (found.valid_rows, found.shared_rows) == (3, 2)
    assert [(each.line, each.valid_line) for each in found.examples] == [(2, 2), (2, 3)]


def test_a_broken_validation_file_does_not_spoil_the_answer(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", {"text": "a"})

    assert scan(train, valid=tmp_path / "missing.jsonl").leakage is None


def test_conversations_are_described(tmp_path: Path) -> None:
    long = {"messages": [*GOOD["messages"], *GOOD["messages"]]}
    open_ended = {"messages": [*GOOD["messages"], {"role": "user", "content": "And?"}]}

    found = scan(write(tmp_path / "a.jsonl", GOOD, long, open_ended))

    assert (found.multi_turn_rows, found.unanswered_rows) == (1, 1)


def test_prose_that_spells_out_roles_is_noticed(tmp_path: Path) -> None:
    assert scan(write(tmp_path / "a.jsonl", {"text": "User: Hi\nAssistant: Ho"})).labelled_text
    assert not scan(write(tmp_path / "b.jsonl", {"text": "The user: nobody."})).labelled_text


def test_an_empty_file_is_a_problem_of_the_file_as_a_whole(tmp_path: Path) -> None:
    found = scan(write(tmp_path / "a.jsonl"))

    assert [(problem.line, problem.message) for problem in found.problems] == [
        (0, "The file is empty.")
    ]


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadContent, match="can't be read"):
        scan(tmp_path / "gone.jsonl")


def test_reading_stops_when_the_time_is_up(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *[{"text": str(number)} for number in range(2000)])

    found = scan(path, seconds=0)

    assert not found.complete
    assert found.rows == 512


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *[{"text": str(number)} for number in range(2000)])
    shares: list[float | None] = []

    scan(path, progress=shares.append)

    known = [share for share in shares if share is not None]
    assert known == sorted(known)
    assert 0.7 < known[-1] <= 1


def test_the_sample_holds_what_the_engine_is_given(tmp_path: Path) -> None:
    row = {"id": 1, "prompt": "2 + 2", "answer": "4", "system": "Count."}

    scan(write(tmp_path / "a.jsonl", row), sample=tmp_path / "sample.jsonl")

    first = json.loads((tmp_path / "sample.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [message["role"] for message in first["row"]["messages"]] == [
        "system",
        "user",
        "assistant",
    ]


def test_a_long_file_is_sampled_evenly(tmp_path: Path) -> None:
    with SampleWriter(tmp_path / "sample.jsonl", rows=10) as writer:
        for number in range(1000):
            writer.add(number + 1, {"text": str(number)})

    kept, end = sampled(tmp_path / "sample.jsonl")
    stride = end["stride"]
    taken = [index for index, _ in kept if index % stride == 0]

    assert end["rows"] == 1000
    assert taken == list(range(0, 1000, stride))
    assert 5 <= len(taken) <= 10 + 1
