"""Rows of any method but fine-tuning, rendered by the engine's own datasets."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

# Before the trainers: some fail without a GPU otherwise.
from backend.engines.rl.hooks import allow_cpu

allow_cpu()
from mlx_lm_lora.trainer.datasets import create_dataset  # noqa: E402

from backend.engines.rl.templates import fitted_tokenizer  # noqa: E402
from backend.engines.tokens.omissions import beyond_parts, doubled_parts, omitted_parts  # noqa: E402
from backend.engines.tokens.rendering import (  # noqa: E402
    COMPARED,
    Rendered,
    first_id,
    is_empty,
    sentence,
    special_ids,
)
from backend.engines.tokens.row_tokenizer import RowTokenizer, row_tokenizer  # noqa: E402

Row = Mapping[str, Any]
_MODES = {"prompt_answer": "grpo", "preference": "dpo", "prompt": "online_dpo"}
_SIDES = ("chosen", "rejected")


class MethodRenderer:
    """Rows that a method `needs`, in the engine's `train_mode`. Of a pair the longer side counts,
    and rows that answers are sampled to are their prompts.
    """

    def __init__(
        self,
        tokenizer: Any,
        needs: str,
        train_mode: str | None,
        first_rows: Sequence[Row],
        rows: int | None = None,
    ) -> None:
        self._rows = rows
        self._needs = needs
        self._mode = train_mode or _MODES.get(needs, "ftpo")
        self._special = special_ids(tokenizer)
        self._start = first_id(tokenizer)
        self._end = getattr(tokenizer, "eos_token", None) or ""
        self._tokenizer = tokenizer
        if needs != "next_token":  # Its contexts are rendered already.
            exact, _ = fitted_tokenizer(tokenizer)
            self._tokenizer = row_tokenizer(
                exact,
                lambda fast: all(
                    self._item(fast, row) == self._item(exact, row) for row in first_rows[:COMPARED]
                ),
            )

    def render(self, rows: Sequence[Row]) -> list[Rendered]:
        if isinstance(self._tokenizer, RowTokenizer) and self._needs != "next_token":
            self._tokenizer.prepare([text for row in rows for text in self._texts(row)])
        rows_rendered = [self._one(row) for row in rows]
        if isinstance(self._tokenizer, RowTokenizer):
            self._tokenizer.forget()
        return rows_rendered

    def _one(self, row: Row) -> Rendered:
        if self._needs == "next_token":  # Its dataset leaves rows out; here all are counted.
            text = row["context_with_chat_template"]
            ids = self._tokenizer.encode(text, add_special_tokens=False)
            return Rendered(length=len(ids), start=len(ids), omitted=beyond_parts(ids, self._rows))
        item = self._item(self._tokenizer, row)
        if isinstance(item, str):
            return Rendered(refused=item)
        if self._needs == "preference":
            return self._pair(row, item)
        ids = list(item[0] if self._needs == "prompt_answer" else item["prompt"])
        rendering = Rendered(length=len(ids), start=len(ids))
        self._compare(rendering, self._turns(row), ids, ask=True)
        return rendering

    def _item(self, tokenizer: Any, row: Row) -> Any:
        """What a run gets of a row; a sentence where its template can't take it."""
        config = Namespace(train_mode=self._mode, max_seq_length=sys.maxsize)
        try:
            dataset = create_dataset([dict(row)], tokenizer, config)
            return dataset.process(dataset[0])
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return sentence(error)

    def _texts(self, row: Row) -> Iterator[str]:
        """The texts of a row that are long: both sides of a pair, or the prompt."""
        ask = self._needs != "preference"
        if self._needs == "prompt_answer" and "system" not in row:
            return  # The engine gives it a system text of its own.
        try:
            turns = self._turns(row)
            for each in [turns] if ask else [[*turns, _answer(row, side)] for side in _SIDES]:
                yield self._render(each, None, ask=ask)
        except Exception:  # noqa: BLE001 - a template raises what it likes; `_item` says why
            return

    def _pair(self, row: Row, item: Mapping[str, Any]) -> Rendered:
        start = int(item["chosen_prompt_length"])
        rendering = Rendered(length=max(len(item["chosen"]), len(item["rejected"])), start=start)
        for side in _SIDES:
            ids = list(item[side])
            self._compare(rendering, [*self._turns(row), _answer(row, side)], ids, ask=False)
            if rendering.unlearnable is None and is_empty(
                self._tokenizer, self._special, ids[start:]
            ):
                cut = ": the chat template cuts its thoughts off"
                why = cut if "thoughts" in rendering.omitted else ""
                rendering.unlearnable = f"nothing of its {side} answer but an end mark is left{why}"
        return rendering

    def _compare(self, rendered: Rendered, turns: Any, ids: Sequence[int], *, ask: bool) -> None:
        """Add what the template leaves out; rows of a form that only the engine knows pass."""
        parts = beyond_parts(ids, self._rows)
        rendered.omitted += [part for part in parts if part not in rendered.omitted]
        try:
            text = self._render(turns, None, ask=ask)
            parts = doubled_parts(text, ids, start=self._start, end=self._end)
            render = partial(self._render, ask=ask)
            parts += omitted_parts(turns, None, text, render)
        except Exception:  # noqa: BLE001 - a template raises what it likes
            return
        rendered.omitted += [part for part in parts if part not in rendered.omitted]

    def _render(self, turns: Any, tools: Any, *, ask: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(turns), tools=tools, add_generation_prompt=ask, tokenize=False
        )
        return text

    def _turns(self, row: Row) -> list[Mapping[str, Any]]:
        prompt = row["prompt"]
        system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
        asked = prompt if isinstance(prompt, list) else [{"role": "user", "content": str(prompt)}]
        return [*system, *asked]


def _answer(row: Row, side: str) -> dict[str, Any]:
    return {"role": "assistant", "content": row[side]}
