"""Rows rendered as a run renders them, to know before a run which of them it can't use.

The rows of fine-tuning go through `spans`, those of other methods through the engine's own
datasets: what is judged here is what is trained. Where the tokenizer, called directly and with
many rows at once, agrees with that on the first rows, it is used instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.engines.tokens.answer_spans import (
    answer_spans,
    conversation,
    learned_answers,
    shared_length,
    tokens_and_spans,
)
from backend.engines.tokens.omissions import Part, doubled_parts, omitted_parts

Row = Mapping[str, Any]
_FEW_TOKENS = 12  # A longer answer is no end mark alone.
_COMPARED = 8


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
    """Rows of fine-tuning: text, chats and pairs."""

    def __init__(self, tokenizer: Any, first_rows: Sequence[Row]) -> None:
        self._tokenizer = tokenizer
        self._special = special_ids(tokenizer)
        self._start = first_id(tokenizer)
        self._end = getattr(tokenizer, "eos_token", None) or ""
        self._encode = self._fast_encoder(first_rows)

    def render(self, rows: Sequence[Row]) -> list[Rendered]:
        """Every row, as far as the template takes it."""
        written = [self._written(row) for row in rows]
        texts = [text for one in written if not isinstance(one, str) for text in one]
        if self._encode is None:
            return [self._one(row, one, None) for row, one in zip(rows, written, strict=True)]
        encoded = iter(self._encode(texts, prose=bool(rows) and "text" in rows[0]))
        found = []
        for row, one in zip(rows, written, strict=True):
            ids = None if isinstance(one, str) else [next(encoded) for _ in one]
            found.append(self._one(row, one, ids))
        return found

    def _written(self, row: Row) -> list[str] | str:
        """The row as text, and with one answer, the last turn, what asks for it; or a refusal."""
        if "text" in row:
            return [row["text"]]
        try:
            turns = conversation(row)
            whole = self._template(turns, row.get("tools"))
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return sentence(error)
        if learned_answers(turns) != [len(turns) - 1]:
            return [whole]
        try:
            return [whole, self._template(turns[:-1], row.get("tools"), ask=True)]
        except Exception:  # noqa: BLE001 - only training on answers asks; `answer_spans` says why
            return [whole]

    def _one(self, row: Row, written: list[str] | str, ids: list[list[int]] | None) -> Rendered:
        if isinstance(written, str):
            return Rendered(refused=written)
        try:
            tokens = ids[0] if ids else tokens_and_spans(self._tokenizer, row, mask=False)[0]
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return Rendered(refused=sentence(error))
        text = written[0]
        found = Rendered(length=len(tokens))
        found.omitted = doubled_parts(text, tokens, start=self._start, end=self._end)
        if "text" in row:
            return found
        turns, tools = conversation(row), row.get("tools")
        found.omitted += omitted_parts(turns, tools, text, self._template)
        try:
            spans = self._spans(turns, tools, tokens, ids)
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            found.start, found.unlearnable = len(tokens), sentence(error)
            return found
        found.start = spans[0][0] if spans else len(tokens)
        for at, (begin, end) in zip(learned_answers(turns), spans, strict=True):
            if is_empty(self._tokenizer, self._special, tokens[begin:end]):
                found.unlearnable = _nothing_learned(at + 1, found.omitted)
                break
        return found

    def _spans(
        self, turns: list[Mapping[str, Any]], tools: Any, tokens: Sequence[int],
        ids: list[list[int]] | None,
    ) -> Sequence[tuple[int, int]]:  # fmt: skip
        if ids and len(ids) > 1 and (begin := shared_length(ids[1], tokens)) == len(ids[1]):
            return ((begin, len(tokens)),)
        return answer_spans(self._tokenizer, turns, tools, tokens)

    def _template(self, turns: Any, tools: Any, *, ask: bool = False) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(turns), tools=tools, add_generation_prompt=ask, tokenize=False
        )
        return text

    def _fast_encoder(self, first: Sequence[Row]) -> Callable[..., list[list[int]]] | None:
        backend = getattr(getattr(self._tokenizer, "_tokenizer", None), "backend_tokenizer", None)
        if backend is None:
            return None
        backend.no_truncation()
        backend.no_padding()
        end = self._tokenizer.eos_token_id

        def encode(texts: Sequence[str], *, prose: bool) -> list[list[int]]:
            found = [code.ids for code in backend.encode_batch(texts, add_special_tokens=prose)]
            if prose:
                found = [ids if ids[-1:] == [end] else [*ids, end] for ids in found]
            return found

        return encode if self._agrees(encode, first[:_COMPARED]) else None

    def _agrees(self, encode: Callable[..., list[list[int]]], rows: Sequence[Row]) -> bool:
        try:
            for row in rows:
                written = self._written(row)
                if isinstance(written, str):
                    continue
                exact = tokens_and_spans(self._tokenizer, row, mask=False)[0]
                if encode(written[:1], prose="text" in row)[0] != exact:
                    return False
        except Exception:  # noqa: BLE001 - an unusual tokenizer: the slow way says what is wrong
            return False
        return True


def first_id(tokenizer: Any) -> int | None:
    """The token that the tokenizer puts before a text."""
    ids = tokenizer.encode("")
    return ids[0] if ids else getattr(tokenizer, "bos_token_id", None)


def special_ids(tokenizer: Any) -> set[int]:
    """The ids of marks, which say nothing by themselves."""
    found = set(tokenizer.all_special_ids)
    added = tokenizer.added_tokens_decoder
    return found | {number for number, token in added.items() if token.special}


def is_empty(tokenizer: Any, special: set[int], ids: Sequence[int]) -> bool:
    """Whether an answer is nothing, or only an end mark."""
    if len(ids) > _FEW_TOKENS:
        return False
    said = [number for number in ids if number not in special]
    return not tokenizer.decode(said).strip() if said else True


def sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:500]


def _nothing_learned(message: int, omitted: Sequence[Part]) -> str:
    why = {
        "tool_calls": ": the chat template does not write its tool call",
        "thoughts": ": the chat template cuts its thoughts off",
        "reasoning_content": ": the chat template does not write its reasoning",
    }
    because = next((text for part, text in why.items() if part in omitted), "")
    return f"of the answer in message {message} nothing but its end mark would be learned{because}"
