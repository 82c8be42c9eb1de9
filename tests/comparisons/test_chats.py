"""Conversations are kept turn by turn, with the thoughts of a stopped answer set apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.comparisons.chats import ChatAnswer, ChatIn, ChatStore, ChatTarget, ChatTurn
from backend.core.disk.trash import Trash
from backend.errors import NotFound

TARGETS = [
    ChatTarget(model_name="demo"),
    ChatTarget(model_name="demo", adapter_name="captain", checkpoint="best"),
]


def turn(prompt: str, *texts: str) -> ChatTurn:
    answers = [
        ChatAnswer(**target.model_dump(), text=text, finish_reason="stop")
        for target, text in zip(TARGETS, texts, strict=True)
    ]
    return ChatTurn(prompt=prompt, answers=answers)


def chat(*turns: ChatTurn) -> ChatIn:
    return ChatIn(system="Be short.", targets=TARGETS, turns=list(turns))


def store(folder: Path) -> ChatStore:
    return ChatStore(folder, Trash(folder))


def test_a_conversation_grows_and_is_there_after_a_restart(tmp_path: Path) -> None:
    first = turn("Who  are\nyou?", "A model.", "A captain!")
    made = store(tmp_path).create(chat(first))
    saved = store(tmp_path).replace(made.id, chat(first, turn("And then?", "None.", "The sea.")))

    again = store(tmp_path)
    assert again.read(made.id) == saved
    assert [one.prompt for one in saved.turns] == ["Who  are\nyou?", "And then?"]
    assert saved.turns[1].answers[1].answer == "The sea."
    assert (saved.at, saved.id) == (made.at, made.id)
    (summary,) = again.page(10, None).chats
    assert (summary.title, summary.turns, summary.targets) == ("Who are you?", 2, TARGETS)


def test_thoughts_of_a_stopped_answer_are_set_apart(tmp_path: Path) -> None:
    thinking = turn("2 + 2?", "<think>two and two</think>4", "<think>two and")
    answers = store(tmp_path).create(chat(thinking)).turns[0].answers
    assert [(one.thoughts, one.answer) for one in answers] == [
        ("two and two", "4"),
        ("two and", ""),
    ]
    assert answers[1].text == "<think>two and", "all that was written is kept"


def test_pages_are_newest_first_and_name_what_cannot_be_read(tmp_path: Path) -> None:
    book = store(tmp_path)
    ids = [book.create(chat(turn(str(n), "a", "b"))).id for n in range(3)]
    (tmp_path / "chats" / f"{ids[1]}.json").write_text("{")
    page = book.page(2, None)
    assert [one.id for one in page.chats] == [ids[2]]
    assert [one.name for one in page.damaged] == [ids[1]]
    assert [one.id for one in book.page(2, page.next_cursor).chats] == [ids[0]]


def test_a_deleted_one_comes_back_and_is_not_written_meanwhile(tmp_path: Path) -> None:
    trash = Trash(tmp_path)
    book = ChatStore(tmp_path, trash)
    made = book.create(chat(turn("Who?", "a", "b")))
    undo = book.delete(made.id)
    with pytest.raises(NotFound, match="no conversation"):
        book.replace(made.id, chat())
    assert undo is not None
    trash.restore(undo)
    assert book.read(made.id).turns[0].prompt == "Who?"


def test_every_turn_has_an_answer_of_every_target() -> None:
    lone = ChatTurn(prompt="Who?", answers=[ChatAnswer(model_name="demo", text="a")])
    with pytest.raises(ValidationError, match="turn 1 has 1 answers of 2 targets"):
        chat(lone)
