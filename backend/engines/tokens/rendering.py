"""Rows rendered as a run renders them, to know before a run which of them it can't use.

The rows of fine-tuning go through `spans`, those of other methods through the engine's own
datasets: what is judged here is what is trained. The tokenizer behind them encodes many rows at
once where it agrees with itself, asked one by one, on the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.engines.tokens.answer_spans import (
    answer_spans,
    conversation,
    learned_answers,
    tokens_and_spans,
)
from backend.engines.tokens.omissions import Part, beyond_parts, doubled_parts, omitted_parts
from backend.engines.tokens.row_tokenizer import RowTokenizer, row_tokenizer

Row = Mapping[str, Any]
_FEW_TOKENS = 12  # A longer answer is no end mark alone.
COMPARED = 8
# How a template fails on a message without a text, as one that only calls a tool may be.
_MISSING = re.compile(
    r"'dict object' has no attribute '(\w+)'|can only concatenate str \(not \"NoneType\"\) to str"
)


@dataclass(slots=True)
class Rendered:
    """A row in tokens, and the first of them that is learned when only answers are. `refused` is
    why the template can't take the row, `unlearnable` why its answers can't be learned alone.
    """

    length: int = 0
    start: int = 0
    refused: str | None = None
    unlearnable: str | None = None
    omitted: list[Part] = field(default_factory=list)


class ChatRenderer:
    """Rows of fine-tuning: text, chats and pairs. `rows` is how many tokens have an embedding."""

    def __init__(self, tokenizer: Any, first_rows: Sequence[Row], rows: int | None = None) -> None:
        self._rows = rows
        self._special = special_ids(tokenizer)
        self._start = first_id(tokenizer)
        self._end = getattr(tokenizer, "eos_token", None) or ""
        exact = tokenizer
        self._tokenizer = row_tokenizer(
            tokenizer,
            lambda fast: all(
                _item(fast, row) == _item(exact, row) for row in first_rows[:COMPARED]
            ),
        )

    def render(self, rows: Sequence[Row]) -> list[Rendered]:
        """Every row, as far as the template takes it."""
        written = [self._write_row(row) for row in rows]
        if isinstance(self._tokenizer, RowTokenizer):
            pairs = list(zip(rows, written, strict=True))
            prose = [row["text"] for row in rows if "text" in row]
            self._tokenizer.prepare_prose(prose)
            self._tokenizer.prepare(
                [text for row, (text, refusals) in pairs if refusals is None and "text" not in row]
            )
        results = [self._one(row, *one) for row, one in zip(rows, written, strict=True)]
        if isinstance(self._tokenizer, RowTokenizer):
            self._tokenizer.forget()
        return results

    def _write_row(self, row: Row) -> tuple[str, str | None]:
        """The row as text, and why it can't be."""
        if "text" in row:
            return row["text"], None
        try:
            return self._template(conversation(row), row.get("tools")), None
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return "", sentence(error)

    def _one(self, row: Row, text: str, refused: str | None) -> Rendered:
        if refused is not None:
            return Rendered(refused=refused)
        try:
            tokens, _ = tokens_and_spans(self._tokenizer, row, mask=False)
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return Rendered(refused=sentence(error))
        rendering = Rendered(length=len(tokens))
        rendering.omitted = doubled_parts(text, tokens, start=self._start, end=self._end)
        rendering.omitted += beyond_parts(tokens, self._rows)
        if "text" in row:
            return rendering
        turns, tools = conversation(row), row.get("tools")
        rendering.omitted += omitted_parts(turns, tools, text, self._template)
        try:
            spans = answer_spans(self._tokenizer, turns, tools, tokens)
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            rendering.start, rendering.unlearnable = len(tokens), sentence(error)
            return rendering
        rendering.start = spans[0][0] if spans else len(tokens)
        for at, (begin, end) in zip(learned_answers(turns), spans, strict=True):
            if is_empty(self._tokenizer, self._special, tokens[begin:end]):
                rendering.unlearnable = _nothing_learned(at + 1, rendering.omitted)
                break
        return rendering

    def _template(self, turns: Any, tools: Any) -> str:
        text: str = self._tokenizer.apply_chat_template(list(turns), tools=tools, tokenize=False)
        return text


def _item(tokenizer: Any, row: Row) -> object:
    """What a run gets of a row; a sentence where that is nothing."""
    try:
        return tokens_and_spans(tokenizer, row, mask=True)
    except Exception as error:  # noqa: BLE001 - a template raises what it likes
        return sentence(error)


def first_id(tokenizer: Any) -> int | None:
    """The token that the tokenizer puts before a text."""
    ids = tokenizer.encode("")
    return ids[0] if ids else getattr(tokenizer, "bos_token_id", None)


def special_ids(tokenizer: Any) -> set[int]:
    """The ids of marks, which say nothing by themselves."""
    ids = set(tokenizer.all_special_ids)
    additions = tokenizer.added_tokens_decoder
    return ids | {number for number, token in additions.items() if token.special}


def is_empty(tokenizer: Any, special: set[int], ids: Sequence[int]) -> bool:
    """Whether an answer is nothing, or only an end mark."""
    if len(ids) > _FEW_TOKENS:
        return False
    text_ids = [number for number in ids if number not in special]
    return not tokenizer.decode(text_ids).strip() if text_ids else True


def sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "chat_template is not set" in text:
        return "the model has no chat template, which rows of messages need; use rows of text"
    if "empty conversation" in text:
        return (
            "the conversation begins with an answer, to which there is no question; begin it with "
            "the user's turn, or turn off training on answers only"
        )
    if missing := _MISSING.fullmatch(text):
        name = missing[1] or "content"
        return (
            f"the chat template reads {name!r} where the row has none or null; put an empty text "
            "there, or use a base whose template takes such rows"
        )
    return text[:500]


def _nothing_learned(message: int, omitted: Sequence[Part]) -> str:
    why = {
        "tool_calls": ": the chat template does not write its tool call",
        "thoughts": ": the chat template cuts its thoughts off",
        "reasoning_content": ": the chat template does not write its reasoning",
    }
    because = next((text for part, text in why.items() if part in omitted), "")
    return f"of the answer in message {message} nothing but its end mark would be learned{because}"
