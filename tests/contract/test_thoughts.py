"""The thoughts of every family are set apart, and what is no thought is left alone."""

from __future__ import annotations

import pytest

from backend.contract.thoughts import (
    FAMILIES,
    Marks,
    SplitAnswer,
    marks_of,
    opened_by,
    split_thoughts,
)


@pytest.mark.parametrize("marks", FAMILIES, ids=lambda marks: marks.open)
def test_a_closed_block_of_every_family_is_no_part_of_the_answer(marks: Marks) -> None:
    text = f"{marks.open}\nFirst I add.\n{marks.close}\n\n42"

    assert split_thoughts(text) == SplitAnswer("First I add.", "42")


@pytest.mark.parametrize("marks", FAMILIES, ids=lambda marks: marks.open)
def test_thoughts_that_never_end_leave_no_answer(marks: Marks) -> None:
    assert split_thoughts(f"{marks.open} First I") == SplitAnswer("First I", "")


@pytest.mark.parametrize("marks", FAMILIES, ids=lambda marks: marks.open)
def test_a_block_that_the_template_opened_is_closed_by_the_answer(marks: Marks) -> None:
    prompt = f"<|im_start|>assistant\n{marks.open}\n"

    assert opened_by(prompt) == marks.open
    assert split_thoughts(f"I add.{marks.close}42", opened=opened_by(prompt)).answer == "42"
    assert split_thoughts("I add and", opened=opened_by(prompt)) == SplitAnswer("I add and", "")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "<|channel|>analysis<|message|>Add.<|end|><|start|>assistant<|channel|>final"
            "<|message|>42<|return|>",
            "42",
        ),
        ("<|channel|>final<|message|>42<|return|>", "42"),
        ("<|START_THINKING|>Add.<|END_THINKING|><|START_RESPONSE|>42<|END_RESPONSE|>", "42"),
        (
            "<|begin_of_thought|>Add.<|end_of_thought|>\n\n<|begin_of_solution|>\n42\n"
            "<|end_of_solution|>",
            "42",
        ),
    ],
)
def test_marks_around_the_answer_are_no_part_of_it(text: str, answer: str) -> None:
    assert split_thoughts(text).answer == answer


def test_an_empty_block_as_qwen3_writes_it() -> None:
    assert split_thoughts("<think>\n\n</think>\n\n1") == SplitAnswer("", "1")


def test_blocks_in_a_row_are_all_thoughts() -> None:
    assert split_thoughts("<think>a</think>\n<think>b</think>c") == SplitAnswer("a\n\nb", "c")


def test_a_closing_mark_alone_ends_thoughts_that_the_prompt_opened() -> None:
    assert split_thoughts("I add.\n</think>\n42") == SplitAnswer("I add.", "42")


@pytest.mark.parametrize(
    "text",
    ["42", "  42 ", "The tag <think> opens a block, </think> closes it.", "a <reasoning> b", ""],
)
def test_a_text_without_thoughts_stays_as_it_is(text: str) -> None:
    assert split_thoughts(text) == SplitAnswer(None, text)


def test_marks_that_only_the_template_names_are_found() -> None:
    template = "{{ '<inner_thoughts>' + m.reasoning_content + '</inner_thoughts>' }}<think></think>"
    own = marks_of(template)

    assert [(each.open, each.close) for each in own] == [("<inner_thoughts>", "</inner_thoughts>")]
    assert split_thoughts("<inner_thoughts>Add.</inner_thoughts>42", own=own).answer == "42"


def test_marks_that_only_the_vocabulary_names_are_found() -> None:
    [own] = marks_of(None, {"[REASON]", "[/REASON]", "[THINK]", "[/THINK]", "reason", "<thinker>"})

    assert (own.open, own.close) == ("[REASON]", "[/REASON]")
