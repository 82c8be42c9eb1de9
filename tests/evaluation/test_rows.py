"""Held-out rows: found by themselves, chosen by seed, and honest about what was trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk.files import sha256_of
from backend.errors import BadContent, NotFound
from backend.evaluation.rows import choose_rows, held_out_file, rows_of_prompts
from backend.evaluation.schemas import EvaluationStart
from backend.jobs.run.schemas import DataFile, DataSummary


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def chat(question: str, answer: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def numbered(count: int) -> list[dict[str, Any]]:
    return [chat(f"question {n}", f"answer {n}") for n in range(count)]


def test_the_test_set_comes_before_the_validation_set(tmp_path: Path) -> None:
    valid = write(tmp_path / "valid.jsonl", numbered(2))
    assert held_out_file(tmp_path) == valid
    test = write(tmp_path / "test.jsonl", numbered(2))
    assert held_out_file(tmp_path) == test


def test_without_held_out_rows_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"neither test\.jsonl nor valid\.jsonl") as refused:
        held_out_file(tmp_path)
    assert "training_data_path" in str(refused.value.hint)
    with pytest.raises(NotFound, match="not known"):
        held_out_file(None)


def test_the_same_seed_chooses_the_same_rows_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", numbered(500))
    chosen = choose_rows(path, count=20, seed=3, data=None)
    lines = [row.line for row in chosen.rows]
    assert len(lines) == len(set(lines)) == 20
    assert lines == sorted(lines)
    assert max(lines) > 100  # From all over the file, not from its head.
    again = choose_rows(path, count=20, seed=3, data=None)
    assert [row.line for row in again.rows] == lines
    other = choose_rows(path, count=20, seed=4, data=None)
    assert [row.line for row in other.rows] != lines


def test_a_short_file_is_taken_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", numbered(3))
    chosen = choose_rows(path, count=20, seed=0, data=None)
    assert [row.line for row in chosen.rows] == [1, 2, 3]
    assert chosen.available == 3


def test_rows_that_were_trained_on_are_marked_however_they_are_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data / "train.jsonl", [chat("known", "yes"), chat("other", "no")])
    path = write(
        tmp_path / "rows.jsonl",
        [
            {"prompt": "known", "completion": "yes"},
            {"prompt": "known", "completion": "no"},
            {"prompt": "new", "completion": "yes"},
        ],
    )
    chosen = choose_rows(path, count=10, seed=0, data=data)
    assert [row.seen for row in chosen.rows] == [True, False, False]
    assert (chosen.seen, chosen.compared) == (1, True)
    assert not choose_rows(path, count=10, seed=0, data=None).compared


def test_rows_of_other_forms_become_the_engines(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [{"prompt": "2 + 2?", "answer": "4", "system": "Brief."}])
    (row,) = choose_rows(path, count=1, seed=0, data=None).rows
    assert [message["role"] for message in row.row["messages"]] == ["system", "user", "assistant"]


def test_bad_lines_are_counted_and_a_file_of_them_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", numbered(2))
    path.write_text(path.read_text() + "not json\n" + json.dumps({"messages": []}) + "\n")
    assert choose_rows(path, count=9, seed=0, data=None).skipped == 2
    path.write_text("not json\n")
    with pytest.raises(BadContent, match="Line 1"):
        choose_rows(path, count=9, seed=0, data=None)


def test_data_that_was_edited_in_place_after_the_run_is_told(tmp_path: Path) -> None:
    """A file that was used as it was is linked into the run folder."""
    data = tmp_path / "data"
    train, valid = (
        write(data / "train.jsonl", numbered(9)),
        write(data / "valid.jsonl", numbered(3)),
    )
    files = {
        part: DataFile(path=str(path), sha256=sha256_of(path), rows=3)
        for part, path in (("train", train), ("valid", valid))
    }
    (data / "summary.json").write_text(DataSummary(**files).model_dump_json())
    assert choose_rows(valid, count=3, seed=0, data=data).changed == ()

    write(train, numbered(8))
    chosen = choose_rows(valid, count=3, seed=0, data=data)
    assert (chosen.changed, chosen.compared, chosen.seen) == (("train.jsonl",), False, 0)
    write(valid, numbered(2))
    assert choose_rows(valid, count=3, seed=0, data=data).changed == ("train.jsonl", "valid.jsonl")
    elsewhere = write(tmp_path / "rows.jsonl", numbered(4))
    assert choose_rows(elsewhere, count=3, seed=0, data=data).changed == ("train.jsonl",)


def test_prompts_are_rows_without_an_answer() -> None:
    chosen = rows_of_prompts("support", ["One?", "Two?"], "Be brief.")
    assert [(row.line, row.row) for row in chosen.rows] == [
        (1, {"prompt": "One?", "system": "Be brief."}),
        (2, {"prompt": "Two?", "system": "Be brief."}),
    ]
    assert (chosen.available, chosen.compared) == (2, False)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"prompts": ["One?"], "metrics": ["loss"]}, "loss needs expected answers"),
        ({"prompts": ["One?"], "training_data_path": "/rows.jsonl"}, "not both"),
        ({"system": "Be brief."}, "system belongs to prompts"),
    ],
    ids=["metric", "rows", "system"],
)
def test_what_prompts_can_not_have_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        EvaluationStart.model_validate({"adapter_name": "captain", **more})
