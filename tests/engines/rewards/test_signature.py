"""Reward functions in the engine's and in TRL's form, called with what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.engines.rewards.signature import Unfit, adapt


def with_kwargs(completions: list[str], **kwargs: Any) -> list[float]:
    return [float(text == right) for text, right in zip(completions, kwargs["answer"], strict=True)]


def with_truth(prompts: list[str], completions: list[str], ground_truth: list[str]) -> list[float]:
    return [float(text == right) for text, right in zip(completions, ground_truth, strict=True)]


def with_keywords(*, completions: list[str], solution: list[str], **_: Any) -> list[float]:
    return [float(text == right) for text, right in zip(completions, solution, strict=True)]


def of_messages(completions: list[Any], answer: list[str], **kwargs: Any) -> list[float]:
    texts = [completion[0]["content"] for completion in completions]
    return [float(text == right) for text, right in zip(texts, answer, strict=True)]


async def awaited(completions: list[str], answer: list[str], **kwargs: Any) -> list[float]:
    return with_kwargs(completions, answer=answer)


def of_the_engine(
    prompts: list[str], completions: list[str], answer: list[str], types: Any = None
) -> list[float]:
    return with_kwargs(completions, answer=answer)


@pytest.mark.parametrize(
    "function", [with_kwargs, with_truth, with_keywords, of_messages, awaited, of_the_engine]
)
def test_a_function_gets_what_it_asks_for(function: Callable[..., Any]) -> None:
    called = adapt("own", function)

    assert not isinstance(called, Unfit)
    for _ in range(2):
        scores = called(prompts=["p", "q"], completions=["4", "5"], answer=["4", "6"], types=[1, 2])
        assert scores == [1.0, 0.0]


def test_what_is_not_handed_over_is_named() -> None:
    def tokens(completions: list[str], completion_ids: list[list[int]]) -> list[float]:
        return []

    def column(completions: list[str], difficulty: list[int]) -> list[float]:
        return []

    for function, asked in ((tokens, "'completion_ids'"), (column, "'difficulty'")):
        found = adapt("own", function)
        assert isinstance(found, Unfit)
        assert asked in found.reason


def test_a_fault_of_the_function_itself_is_raised() -> None:
    def broken(completions: list[str], **kwargs: Any) -> list[float]:
        raise TypeError("this one is broken")

    called = adapt("own", broken)

    assert not isinstance(called, Unfit)
    with pytest.raises(TypeError, match="this one is broken"):
        called(prompts=["p"], completions=["c"], answer=["a"], types=[None])
