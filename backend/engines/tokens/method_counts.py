"""Rows of any method but fine-tuning, rendered by the engine's own datasets."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

# Before the trainers: some fail without a GPU otherwise.
from backend.engines.rl.hooks import allow_cpu

allow_cpu()
from mlx_lm_lora.trainer.datasets import create_dataset  # noqa: E402

from backend.engines.rl.templates import fitted_tokenizer  # noqa: E402
from backend.engines.tokens.omissions import doubled_parts, omitted_parts  # noqa: E402
from backend.engines.tokens.rendering import Rendered, first_id, is_empty, sentence, special_ids  # noqa: E402

Row = Mapping[str, Any]
_MODES = {"prompt_answer": "grpo", "preference": "dpo", "prompt": "online_dpo"}


class MethodRenderer:
    """Rows that a method `needs`, in the engine's `train_mode`. Of a pair the longer side counts,
    and rows that answers are sampled to are their prompts.
    """

    def __init__(self, tokenizer: Any, needs: str, train_mode: str | None = None) -> None:
        self._needs = needs
        self._mode = train_mode or _MODES.get(needs, "ftpo")
        self._special = special_ids(tokenizer)
        self._start = first_id(tokenizer)
        self._end = getattr(tokenizer, "eos_token", None) or ""
        self._tokenizer = tokenizer
        if needs != "next_token":  # Its contexts are rendered already.
            self._tokenizer, _ = fitted_tokenizer(tokenizer)

    def render(self, rows: Sequence[Row]) -> list[Rendered]:
        return [self._one(row) for row in rows]

    def _one(self, row: Row) -> Rendered:
        try:
            if self._needs == "next_token":  # Its dataset leaves rows out; here all are counted.
                text = row["context_with_chat_template"]
                length = len(self._tokenizer.encode(text, add_special_tokens=False))
                return Rendered(length=length, start=length)
            config = Namespace(train_mode=self._mode, max_seq_length=sys.maxsize)
            dataset = create_dataset([dict(row)], self._tokenizer, config)
            item = dataset.process(dataset[0])
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            return Rendered(refused=sentence(error))
        if self._needs == "preference":
            return self._pair(row, item)
        ids = list(item[0] if self._needs == "prompt_answer" else item["prompt"])
        found = Rendered(length=len(ids), start=len(ids))
        self._compare(found, self._turns(row), ids, ask=True)
        return found

    def _pair(self, row: Row, item: Mapping[str, Any]) -> Rendered:
        start = int(item["chosen_prompt_length"])
        found = Rendered(length=max(len(item["chosen"]), len(item["rejected"])), start=start)
        for side in ("chosen", "rejected"):
            ids = list(item[side])
            answer = {"role": "assistant", "content": row[side]}
            self._compare(found, [*self._turns(row), answer], ids, ask=False)
            if found.unlearnable is None and is_empty(self._tokenizer, self._special, ids[start:]):
                cut = ": the chat template cuts its thoughts off"
                why = cut if "thoughts" in found.omitted else ""
                found.unlearnable = f"nothing of its {side} answer but an end mark is left{why}"
        return found

    def _compare(self, found: Rendered, turns: Any, ids: Sequence[int], *, ask: bool) -> None:
        """Add what the template leaves out; rows of a form that only the engine knows pass."""

        def render(turns: Any, tools: Any) -> str:
            text: str = self._tokenizer.apply_chat_template(
                list(turns), tools=tools, add_generation_prompt=ask, tokenize=False
            )
            return text

        try:
            text = render(turns, None)
            parts = doubled_parts(text, ids, start=self._start, end=self._end)
            parts += omitted_parts(turns, None, text, render)
        except Exception:  # noqa: BLE001 - a template raises what it likes
            return
        found.omitted += [part for part in parts if part not in found.omitted]

    def _turns(self, row: Row) -> list[Mapping[str, Any]]:
        prompt = row["prompt"]
        if isinstance(prompt, list):
            return list(prompt)
        system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
        return [*system, {"role": "user", "content": str(prompt)}]
