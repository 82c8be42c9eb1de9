"""Token counts of rows for any method but fine-tuning, by the engine's own datasets."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from mlx_lm_lora.chat_template import ensure_chat_template

# Before the trainers: some fail without a GPU otherwise.
from backend.engines.rl_engine import allow_cpu

allow_cpu()
from mlx_lm_lora.trainer.datasets import create_dataset  # noqa: E402

_MODES = {"prompt_answer": "grpo", "preference": "dpo", "prompt": "online_dpo"}


def count_method_rows(
    tokenizer: Any, rows: Sequence[Mapping[str, Any]], needs: str
) -> dict[str, list[int]]:
    """`lengths` of whole rows, of a pair the longer side, and `starts`, where answers begin. Rows
    that answers are sampled to are their prompts.
    """
    if needs == "next_token":  # Its dataset leaves rows out; here all are counted.
        texts = [row["context_with_chat_template"] for row in rows]
        lengths = [len(tokenizer.encode(text, add_special_tokens=False)) for text in texts]
        return {"lengths": lengths, "starts": lengths}
    ensure_chat_template(tokenizer)
    mode = _MODES[needs]
    dataset = create_dataset(list(rows), tokenizer, Namespace(train_mode=mode))
    items = [dataset.process(dataset[row]) for row in range(len(dataset))]
    if needs == "preference":
        return {
            "lengths": [max(len(item["chosen"]), len(item["rejected"])) for item in items],
            "starts": [item["chosen_prompt_length"] for item in items],
        }
    prompts = [len(item[0] if needs == "prompt_answer" else item["prompt"]) for item in items]
    return {"lengths": prompts, "starts": prompts}
