from __future__ import annotations

import pytest

from backend.errors import NotFound
from backend.inference.model_names import ServedName, parse_name
from backend.inference.openai.requests import ChatRequest

MODELS = {"small", "a+b"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("small", ServedName(model="small")),
        ("a+b", ServedName(model="a+b")),
        ("small+x", ServedName(model="small", adapter="x")),
        ("a+b+x@best", ServedName(model="a+b", adapter="x", checkpoint="best")),
        ("small+x@0000200", ServedName(model="small", adapter="x", checkpoint=200)),
        ("nobody", ServedName(model="nobody")),
    ],
)
def test_a_served_name_is_taken_apart(name: str, wanted: ServedName) -> None:
    assert parse_name(name, MODELS) == wanted


def test_what_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(NotFound, match="'soon' is no checkpoint of x"):
        parse_name("small+x@soon", MODELS)


def test_all_turns_of_a_talk_are_one_conversation_and_a_seed_is_none() -> None:
    first = {"role": "user", "content": "Hi"}
    later = [first, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "More"}]
    other = {"role": "user", "content": "Hello"}

    def name(messages: object, **more: object) -> str | None:
        body = {"model": "small", "messages": messages, **more}
        return ChatRequest.model_validate(body).ask().conversation

    assert name([first]) == name(later) is not None
    assert name([first]) != name([other])
    assert name([first], seed=1) is None
