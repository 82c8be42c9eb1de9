"""Rows from any form into any other, and back to what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.data.checks.method_check import check_rows
from backend.data.checks.scan import scan
from backend.data.rows.conversation import Unsuitable
from backend.data.rows.conversion import convert_row
from backend.data.rows.formats import Format, check
from backend.data.rows.turns import is_blank
from backend.data.schemas import ConvertAnswer, DataForm
from backend.data.write.convert import convert_file, convert_rows
from backend.errors import AlreadyExists, BadContent, Invalid

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30
).filter(lambda text: not is_blank(text))
spoken = words.filter(lambda text: ":" not in text)

EXCHANGE = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
ONE_EXCHANGE: tuple[DataForm, ...] = ("text", "completions", "grpo", "alpaca", "sharegpt")


def chat(*turns: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


@given(spoken, spoken, st.sampled_from(ONE_EXCHANGE))
def test_a_question_and_its_answer_survive_every_form(
    question: str, answer: str, form: DataForm
) -> None:
    row = chat(("user", question), ("assistant", answer))

    there = convert_row(row, "chat", form)

    assert check(there, form) is None
    assert convert_row(there, form, "chat") == row


@given(
    spoken,
    st.lists(st.tuples(spoken, spoken), min_size=1, max_size=4),
    st.sampled_from(["text", "sharegpt"]),
)
def test_a_long_conversation_survives_the_forms_that_hold_one(
    system: str, exchanges: list[tuple[str, str]], form: DataForm
) -> None:
    turns = [("system", system)]
    for question, answer in exchanges:
        turns += [("user", question), ("assistant", answer)]
    row = chat(*turns)

    assert convert_row(convert_row(row, "chat", form), form, "chat") == row


@given(words, words, words, st.sampled_from(["grpo", "alpaca", "sharegpt", "chat"]))
def test_a_system_message_is_kept_where_there_is_a_place_for_it(
    system: str, question: str, answer: str, form: DataForm
) -> None:
    row = chat(("user", question), ("assistant", answer))

    there = convert_row(row, "chat", form, system=system)

    assert convert_row(there, form, "chat") == chat(
        ("system", system), ("user", question), ("assistant", answer)
    )


@given(words, words, words)
def test_preference_rows_need_a_rejected_answer_and_keep_it(
    question: str, good: str, bad: str
) -> None:
    assume(good.strip() != bad.strip())
    row = {"prompt": question, "completion": good, "rejected": bad}

    assert convert_row(row, "completions", "preference") == {
        "prompt": question,
        "chosen": good,
        "rejected": bad,
    }
    with pytest.raises(Unsuitable, match="rejected"):
        convert_row({"prompt": question, "completion": good}, "completions", "preference")


REFUSED: list[tuple[dict[str, Any], Format, DataForm, str]] = [
    (chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
     "chat", "grpo", "4 messages"),
    ({"text": "Once upon a time."}, "text", "chat", "plain text"),
    (chat(("user", "Write:\nAssistant: x"), ("assistant", "y")), "chat", "text", "looks like"),
    ({"conversations": [{"from": "narrator", "value": "x"}]}, "sharegpt", "chat", "narrator"),
    ({"messages": [{"role": "user", "content": "a"},
                   {"role": "assistant", "content": None, "tool_calls": [{}]},
                   {"role": "assistant", "content": "b"}]}, "chat", "text", "calls a tool"),
    ({"conversations": [{"from": "human", "value": "x"}]}, "sharegpt", "chat", "no assistant"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "form", "to", "says"), REFUSED)
def test_what_has_no_place_in_a_form_is_told(
    row: dict[str, Any], form: Format, to: DataForm, says: str
) -> None:
    with pytest.raises(Unsuitable, match=says):
        convert_row(row, form, to)


def test_tools_stay_with_a_conversation() -> None:
    row = {**EXCHANGE, "tools": [{"type": "function"}]}

    assert convert_row(row, "chat", "chat") == row


def write(path: Path, *rows: Any) -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def rows_in(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def convert(tmp_path: Path, source: Path, to: DataForm, **options: Any) -> ConvertAnswer:
    return convert_file(source, tmp_path / "out.jsonl", to, **options)


def test_rows_left_out_are_named_and_the_rest_is_written(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", EXCHANGE, "{broken", "", EXCHANGE, {"messages": []})

    answer = convert(tmp_path, source, "completions")

    assert (answer.rows, answer.skipped_count, answer.source_format) == (2, 2, "chat")
    assert [problem.line for problem in answer.skipped] == [2, 5]
    assert rows_in(tmp_path / "out.jsonl") == [{"prompt": "Q", "completion": "A"}] * 2


@pytest.mark.parametrize("to", ["text", "chat", "completions", "grpo", "alpaca", "sharegpt"])
def test_what_is_written_passes_the_inspection(tmp_path: Path, to: DataForm) -> None:
    source = write(
        tmp_path / "a.jsonl", *[chat(("user", f"{n}"), ("assistant", "A")) for n in "ab"]
    )

    convert(tmp_path, source, to)

    found = scan(tmp_path / "out.jsonl")
    assert (found.format, found.good_rows, found.problem_count) == (to, 2, 0)


def test_columns_of_any_name_are_mapped(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("question,solution,noise\nTwo?,2,x\n", encoding="utf-8")

    convert(tmp_path, source, "grpo", mapping={"prompt": "question", "answer": "solution"})

    assert rows_in(tmp_path / "out.jsonl") == [{"prompt": "Two?", "answer": "2"}]


def test_a_value_inside_an_object_is_reached_and_numbers_become_texts(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", {"q": "Two?", "a": {"value": 2}})

    convert(tmp_path, source, "completions", mapping={"prompt": "q", "completion": "a.value"})

    assert rows_in(tmp_path / "out.jsonl") == [{"prompt": "Two?", "completion": "2"}]


def test_a_field_that_no_form_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="'question'"):
        convert(tmp_path, write(tmp_path / "a.jsonl", EXCHANGE), "chat", mapping={"question": "q"})


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", EXCHANGE)
    write(tmp_path / "out.jsonl", {"text": "precious"})

    with pytest.raises(AlreadyExists):
        convert(tmp_path, source, "grpo")
    assert rows_in(tmp_path / "out.jsonl") == [{"text": "precious"}]

    convert(tmp_path, source, "grpo", overwrite=True)
    assert rows_in(tmp_path / "out.jsonl") == [{"prompt": "Q", "answer": "A"}]


def test_a_file_may_be_converted_in_its_own_place(tmp_path: Path) -> None:
    source = write(tmp_path / "out.jsonl", EXCHANGE)

    convert(tmp_path, source, "alpaca", overwrite=True)

    assert rows_in(source) == [{"instruction": "Q", "input": "", "output": "A"}]


def test_a_conversion_that_yields_nothing_leaves_nothing_behind(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", {"text": "Prose."})

    with pytest.raises(BadContent, match=r"No row of a\.jsonl can be written as chat\. Line 1"):
        convert(tmp_path, source, "chat")

    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_the_answer_behind_a_mark_becomes_what_is_checked(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text(
        '{"question": "2 + 2?", "answer": "Two and two. #### not yet #### 4", "kind": {"a": 1}}\n'
        '{"question": "3 + 3?", "answer": "six"}\n',
        encoding="utf-8",
    )

    answer = convert_file(
        source,
        target,
        "grpo",
        mapping={"prompt": "question", "answer": "answer", "type": "kind"},
        answer_after="####",
    )

    assert target.read_text(encoding="utf-8") == (
        '{"prompt": "2 + 2?", "answer": "4", "type": {"a": 1}}\n'
    )
    assert answer.skipped[0].message == "Line 2 has no '####' in its answer."


def test_of_a_long_conversation_the_first_exchange_is_kept_when_asked() -> None:
    row = chat(
        ("system", "S"), ("user", "Q"), ("assistant", "A"), ("user", "R"), ("assistant", "B")
    )

    with pytest.raises(Unsuitable, match="4 messages"):
        convert_row(row, "chat", "grpo")

    first = convert_row(row, "chat", "grpo", first_exchange=True)

    assert first == {"prompt": "Q", "answer": "A", "system": "S"}
    assert convert_row(first, "grpo", "grpo") == first


def test_pairs_of_one_answer_are_kept_and_told_as_a_start_does(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    rows = [{"prompt": "Q", "chosen": "A", "rejected": other} for other in ("B", " A ", "A")]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    answer = convert_file(source, tmp_path / "b.jsonl", "preference")

    assert (answer.rows, answer.skipped_count) == (3, 0)
    assert (
        "Chosen and rejected are the same answer; nothing can be preferred there (2 rows, the "
        "first in line 2)." in answer.notes
    )
    assert check_rows(tmp_path / "b.jsonl", "preference").valid


def test_a_bad_answer_of_kto_is_not_learned_as_a_good_one(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    rows = [
        {"prompt": "Q", "completion": "A", "label": True},
        {"prompt": "Q", "completion": "B", "label": False},
        {"prompt": "R", "completion": "C", "label": False, "system": "S"},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    report = check_rows(source, "sft")
    answer = convert_file(source, tmp_path / "b.jsonl", "chat")

    assert [error.line for error in report.errors] == [2, 3]
    assert "label false" in str(report.error)
    assert (answer.rows, answer.skipped_count) == (1, 2)


def test_no_worse_answer_is_made_up(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps(EXCHANGE) + "\n", encoding="utf-8")

    with pytest.raises(BadContent, match="has no rejected answer") as refused:
        convert_file(source, tmp_path / "b.jsonl", "preference")

    assert "none is made up" in str(refused.value.hint)


def test_a_few_rows_are_converted_without_a_file() -> None:
    rows = [{"query": "2 + 2?", "reply": "So #### 4"}, {"query": "3?"}]

    answer = convert_rows(
        rows, "grpo", mapping={"prompt": "query", "answer": "reply"}, answer_after="####"
    )

    assert answer.rows[0].row == {"prompt": "2 + 2?", "answer": "4"}
    assert answer.rows[1].row is None
    assert answer.rows[1].problem is not None
    assert answer.rows[1].problem.startswith("This row ")
