"""Rows in the spellings of public data sets, read as ours; rows of ours are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.data.readers.data_file import read_lines
from backend.data.rows.formats import check, detect
from backend.data.rows.normaliser import doubled_forms, normalise
from backend.data.rows.readings import SHOWN, Readings
from backend.data.rows.spellings import ROLES
from backend.data.rows.turns import is_blank
from backend.settings import CHECKOUT

DEMO = CHECKOUT / "test_data" / "demo"
TURNS = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
HUMAN = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]


@pytest.mark.parametrize("path", sorted(DEMO.glob("*/train.jsonl")), ids=lambda p: p.parent.name)
def test_rows_of_ours_are_read_as_they_are(path: Path) -> None:
    found = [line for line in read_lines(path) if line.row is not None]

    assert found
    assert not any(line.readings or line.columns for line in found)
    assert all(normalise(line.row)[0] == line.row for line in found if line.row)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": HUMAN},
        {"conversation": TURNS},
        {"whatever": HUMAN, "id": 1},
        {"messages": [{"speaker": "USER", "text": "Q"}, {"speaker": "Bot", "message": "A"}]},
        {"messages": [{"author": "prompter", "content": ["Q"]}, TURNS[1]]},
        {"prompt": [TURNS[0]], "completion": [TURNS[1]]},
        {"prompt": "Q", "completion": [TURNS[1]]},
        {"prompt": [TURNS[0]], "completion": "A"},
        {"messages": [TURNS[0], {**TURNS[1], "function_call": None}]},
    ],
)
def test_a_chat_in_another_spelling_is_one_of_ours(row: dict[str, Any]) -> None:
    made, readings = normalise(row)

    assert made["messages"] == TURNS
    assert readings or row["messages"][1]["function_call"] is None


SYSTEM = {"role": "system", "content": "S"}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": TURNS, "system": "S"},
        {"messages": TURNS, "system_prompt": "S"},
        {"system_prompt": "S", "question": "Q", "response": "A"},
        {"System": "S", "Prompt": "Q", "Completion": "A"},
        {"system": "S", "prompt": "Q", "completion": "A"},
        {"systemInstruction": {"parts": [{"text": "S"}]},
         "contents": [{"role": "user", "parts": [{"text": "Q"}]},
                      {"role": "model", "parts": [{"text": "A"}]}]},
        {"conversation": [{"system": "S", "input": "Q", "output": "A"}]},
        {"instruction": "Q", "input": "", "output": "A", "system": "S", "history": []},
        {"messages": [SYSTEM, *TURNS], "system": "S"},
    ],
)  # fmt: skip
def test_no_system_text_in_a_column_of_its_own_is_lost(row: dict[str, Any]) -> None:
    made, readings = normalise(row)

    assert made["messages"] == [SYSTEM, *TURNS]
    assert readings or row["messages"][0] == SYSTEM


def test_earlier_turns_of_an_alpaca_row_are_turns() -> None:
    row = {"instruction": "Q2", "input": "in", "output": "A2", "history": [["Q", "A"]]}

    made, _ = normalise(row)

    assert [turn["content"] for turn in made["messages"]] == ["Q", "A", "Q2\n\nin", "A2"]


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"INSTRUCTION": "Q", "RESPONSE": "A", "SOURCE": "x"}, "completions"),
        ({"Question": "Q", "Answer": "A"}, "grpo"),
        ({" Instruction ": "Q", "Output": "A"}, "alpaca"),
        ({"instruction": "Q", "context": "C", "response": "A", "category": "x"}, "alpaca"),
        ({"question": "Q", "context": "", "response": "A"}, "completions"),
        ({"user": "Q", "assistant": "A"}, "completions"),
        ({"problem": "Q", "solution": "A", "level": 1}, "grpo"),
        ({"text_input": "Q", "output": "A"}, "completions"),
    ],
)
def test_columns_in_other_letters_or_names_are_read(row: dict[str, Any], form: str) -> None:
    made, readings = normalise(row)

    assert detect(made) == form and check(made, detect(made)) is None
    assert readings


@pytest.mark.parametrize("name", ["images", "videos", "audios"])
def test_rows_with_more_than_texts_are_refused(name: str) -> None:
    row = {"messages": TURNS, name: ["a.png"]}

    assert name in (check(row, "chat") or "")
    assert check({"messages": TURNS, name: []}, "chat") is None


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_table_is_one_that_rows_may_have(role: str) -> None:
    made, _ = normalise({"messages": [{"role": role, "content": "x"}, *TURNS]})

    assert check(made, "chat") is None


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Q", "context": "C", "answer": "A"},
        {"conversation": [{"input": "Q"}]},
        {"question": "Q", "choices": ["a", "b"], "answer": "b"},
        {"one": HUMAN, "other": HUMAN},
        {"prompt": "Q", "chosen": [1], "rejected": ["b"]},
        {"messages": "no list"},
        {"messages": [{"role": "user"}]},
        {},
    ],
)
def test_what_may_be_meant_otherwise_is_left_as_it_is(row: dict[str, Any]) -> None:
    assert normalise(row) == (row, ())


def test_a_sharegpt_row_stays_one_and_only_its_oddities_are_told() -> None:
    usual = {"conversations": HUMAN}
    odd = {"conversations": [HUMAN[0], {"from": "bot", "value": 5}]}

    assert normalise(usual) == (usual, ())
    made, readings = normalise(odd)
    assert detect(made) == "sharegpt"
    assert readings == ("a number or true and false in a turn is read as a text",)


def test_columns_of_two_forms_are_told_with_the_one_that_is_used() -> None:
    row = {"prompt": "Q", "completion": "A", "messages": TURNS}

    assert "completions and chat rows at once; used are the completions" in str(doubled_forms(row))
    assert doubled_forms({"prompt": "Q", "completion": "A", "id": 1}) is None


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", " \ufeff \u200d", "\u00ad\u2060"])
def test_signs_without_width_are_nothing(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}a")


def test_many_readings_are_told_by_how_often_they_are() -> None:
    readings = Readings()
    for line in range(1, 1000):
        readings.add(line, ["the common one", f"another {line}"])

    told = readings.sentences()

    assert told[0] == "The common one (999 rows, the first in line 1)."
    assert len(told) == SHOWN + 1
