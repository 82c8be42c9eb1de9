"""The rows of one run as the engine's datasets, and which of them can be used."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlx_lm_lora.trainer.datasets import CacheDataset, GRPODataset, create_dataset

from backend.contract.run.config import MethodConfig
from backend.engines.process.endings import Unusable
from backend.engines.process.events import Emitter
from backend.engines.rl.modes import Mode
from backend.engines.rl.templates import fitted_tokenizer
from backend.engines.trainer.samples.questions import RowStyle
from backend.engines.trainer.types import DataSet, Sets

_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def load_rl_sets(config: MethodConfig, mode: Mode, tokenizer: Any, emit: Emitter) -> Sets:
    """The sets in `config.data`. Raises Unusable when there is nothing to train on."""
    tokenizer, warnings = fitted_tokenizer(tokenizer)
    for warning in warnings:
        emit.warning(warning.code, warning.message, warning.hint)
    sets = {
        name: _load(name, config, mode, tokenizer, emit)
        for name in ("train", "valid", *(["test"] if config.test else []))
    }
    train = sets["train"]
    if train is None:
        raise Unusable("The training set is empty.", "Choose a file that has rows.")
    return Sets(
        train=train,
        valid=sets["valid"] if config.val_batches != 0 else None,
        test=sets.get("test"),
    )


def sample_question(mode: Mode, tokenizer: Any, prompt: str, style: RowStyle) -> list[int]:
    """The tokens of a sample prompt, by the template that the rows are rendered with. The engine
    gives every prompt of the methods that score groups a system text, if the row has none.
    """
    tokenizer, _ = fitted_tokenizer(tokenizer)
    if mode.family.weighed:
        row = {"prompt": prompt, "answer": ""} | ({"system": style.system} if style.system else {})
        return list(GRPODataset([row], tokenizer)[0][0])
    messages = style.messages(prompt)
    return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True))


class Bare:
    """A tokenizer that puts nothing before a text: contexts are rendered already, and a token after
    them is no beginning.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens


def _tell_of_tokens(name: str, lost: int, rows: int, emit: Emitter) -> None:
    """Rows that the engine's dataset leaves out. Raises Unusable when none is left."""
    what = "the rejected text, or each wanted one, is not a single token of this model"
    hint = "Make the rows with this model's tokenizer, where each such text is one token."
    if lost == rows:
        raise Unusable(f"No row of the {_NAMES[name]} set can be used: {what}.", hint)
    emit.warning(
        "not_a_token",
        f"{lost} of {rows} rows of the {_NAMES[name]} set are left out: {what}.",
        hint,
    )


def _load(
    name: str, config: MethodConfig, mode: Mode, tokenizer: Any, emit: Emitter
) -> DataSet | None:
    path = Path(config.data) / f"{name}.jsonl"
    raw_rows = _read(path)
    if not raw_rows:
        return None
    arguments = Namespace(train_mode=mode.name, max_seq_length=config.max_seq_length)
    if mode.family.rendered:
        tokenizer, arguments.max_seq_length = Bare(tokenizer), sys.maxsize  # Long ones: `_usable`.
    try:
        dataset = CacheDataset(create_dataset(raw_rows, tokenizer, arguments))
    except KeyError as problem:
        raise Unusable(
            f"A row of {path.name} has no {problem} field, which {mode.name} needs.",
            "Check the file on the Enhanced Setup page; it names the lines.",
        ) from problem
    if len(dataset) < len(raw_rows):
        _tell_of_tokens(name, len(raw_rows) - len(dataset), len(raw_rows), emit)
    rows = _usable(name, dataset, config, mode, emit)
    return DataSet(dataset=dataset, rows=rows, given=raw_rows)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _usable(
    name: str, dataset: Any, config: MethodConfig, mode: Mode, emit: Emitter
) -> Sequence[int]:
    """Rows whose prompt fits. The engine would cut the end off a prompt: the question itself, and
    the mark that it is now the model's turn.
    """
    limit = config.max_seq_length
    prompt = mode.family.prompt
    indices = [row for row in range(len(dataset)) if prompt(dataset[row]) < limit]
    left_out = len(dataset) - len(indices)
    if not indices:
        raise Unusable(
            f"Every prompt of the {_NAMES[name]} set is {limit} tokens long or longer, so nothing "
            "is left to train on.",
            "Raise the max sequence length.",
        )
    if left_out:
        emit.warning(
            "prompt_too_long",
            f"{left_out} of {len(dataset)} rows of the {_NAMES[name]} set are left out: their "
            f"prompts are {limit} tokens long or longer.",
            "Raise the max sequence length, or shorten those prompts.",
        )
    length = mode.family.length
    cut = sum(length(dataset[row]) > limit for row in indices)
    if cut:
        emit.warning(
            "truncated",
            f"{cut} rows of the {_NAMES[name]} set are longer than {limit} tokens with their "
            "answers and are cut there.",
            "Raise the max sequence length, or shorten those answers.",
        )
    return indices
