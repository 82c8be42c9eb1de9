"""Which tokens of a row are learned: with training on answers only, every assistant turn.

The engine's own mask has one border, so of a conversation it learns the last answer only. Here the
turns are found by rendering the conversation piece by piece. Whoever shows or counts targets asks
this module, so that what is shown is what is trained.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from mlx_lm.tuner.datasets import create_dataset

from backend.engines.process.token_types import Item, Span

_UNSTABLE = (
    "The model's chat template writes a turn differently once the conversation goes on, so where "
    "its answers begin and end can't be told. Turn off training on answers only, or split each "
    "conversation into rows that end with the answer to learn."
)


class UnstableTemplate(ValueError):
    """The pieces of a rendered conversation are not part of the whole."""


def tokens_and_spans(tokenizer: Any, row: Mapping[str, Any], *, mask: bool) -> Item:
    """The row's tokens by the engine's own data classes, and the learned ones among them.

    Raises UnstableTemplate, or whatever the template raises.
    """
    data = create_dataset([row], tokenizer, Namespace(mask_prompt=False))
    tokens = list(data.process(row)[0])
    if not mask or "text" in row:  # Prose has no prompt.
        return tokens, ((0, len(tokens)),)
    return tokens, answer_spans(tokenizer, conversation(row), row.get("tools"), tokens)


def conversation(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The turns of a chat or a pair, as the engine reads them."""
    if "prompt" in row and "completion" in row:
        return [
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["completion"]},
        ]
    return list(row["messages"])


def answer_spans(
    tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any, whole: Sequence[int]
) -> tuple[Span, ...]:
    """The tokens of every learned answer in `whole`, each with the end of its turn."""
    pieces = _Pieces(tokenizer, turns, tools, whole)
    return tuple((pieces.begin(at), pieces.end(at)) for at in learned_answers(turns))


def learned_answers(turns: Sequence[Mapping[str, Any]]) -> list[int]:
    """The places of the assistant turns that are learned: not of those with the weight 0."""
    return [
        at
        for at, turn in enumerate(turns)
        if turn.get("role") == "assistant" and turn.get("weight") != 0
    ]


class _Pieces:
    """A conversation, rendered up to one turn or another."""

    def __init__(
        self,
        tokenizer: Any,
        turns: Sequence[Mapping[str, Any]],
        tools: Any,
        whole: Sequence[int],
    ) -> None:
        self._tokenizer = tokenizer
        self._turns = list(turns)
        self._tools = tools
        self._whole = list(whole)

    def begin(self, at: int) -> int:
        """After what asks for the answer. A template may ask with more than it writes down, such
        as an opened block of thoughts: then where the two part.
        """
        prompt = self._render(self._turns[:at], ask=True)
        shared = shared_length(prompt, self._whole)
        if shared < len(prompt) and shared < self._place(self._turns[:at]):
            raise UnstableTemplate(_UNSTABLE)
        return shared

    def end(self, at: int) -> int:
        if at == len(self._turns) - 1:
            return len(self._whole)
        upto = self._render(self._turns[: at + 1])
        if self._starts_with(upto):
            return len(upto)
        return self._end_before_next(at)

    def _end_before_next(self, at: int) -> int:
        """For templates that write the last answer in another way than earlier ones (Qwen3 keeps
        its thoughts): where the next turn, known from a conversation without the answer, begins.
        """
        before, following = self._turns[:at], self._turns[at + 1]
        through = self._place([*before, self._turns[at], following])
        without = self._render([*before, following])
        head = self._render(before)
        tail = without[len(head) :]
        if without[: len(head)] != head or self._whole[through - len(tail) : through] != tail:
            raise UnstableTemplate(_UNSTABLE)
        return through - len(tail)

    def _place(self, turns: Sequence[Mapping[str, Any]]) -> int:
        """How far the turns reach in the whole, which must begin with them."""
        rendered = self._render(turns)
        if not self._starts_with(rendered):
            raise UnstableTemplate(_UNSTABLE)
        return len(rendered)

    def _starts_with(self, tokens: list[int]) -> bool:
        return self._whole[: len(tokens)] == tokens

    def _render(self, turns: Sequence[Mapping[str, Any]], *, ask: bool = False) -> list[int]:
        rendered = self._tokenizer.apply_chat_template(
            list(turns), tools=self._tools, add_generation_prompt=ask, return_dict=False
        )
        return list(rendered)


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    if other[: len(one)] == one:
        return len(one)
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))
