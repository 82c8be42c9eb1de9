"""The data of one run as tokens, and of each set the rows that have something to learn."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from mlx_lm.tuner.datasets import load_dataset

from backend.contract.run.config import SftConfig
from backend.engines.process.events import Emitter
from backend.engines.process.token_types import Item
from backend.engines.tokens.answer_spans import tokens_and_spans
from backend.engines.trainer.types import DataSet, Sets, Tokenised


class Rows:
    """The rows of a set, each turned into tokens once, when it is first needed."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], tokenizer: Any, *, mask: bool) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._mask = mask
        self._made: list[Item | None] = [None] * len(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Item:
        item = self._made[index]
        if item is None:
            item = tokens_and_spans(self._tokenizer, self._rows[index], mask=self._mask)
            self._made[index] = item
        return item


def load_sets(config: SftConfig, tokenizer: Any, emit: Emitter) -> Sets:
    """The sets of `config.data`. Raises ValueError when there is nothing to train on."""
    train, valid, test = load_dataset(Namespace(**config.values), tokenizer)

    def tokenised(name: str, rows: Sequence[Mapping[str, Any]]) -> DataSet | None:
        if not len(rows):
            return None
        dataset = Rows(rows, tokenizer, mask=config.mask_prompt)
        return DataSet(dataset=dataset, rows=_usable(name, dataset, config, emit))

    training = tokenised("training", train)
    validation = tokenised("validation", valid)
    if training is None:
        raise ValueError("The training set is empty.")
    return Sets(
        train=training,
        valid=validation if config.val_batches != 0 else None,
        test=tokenised("test", test) if config.test else None,
    )


def has_several_spans(sets: Sets) -> bool:
    """Whether some row is more than the engine's own mask of one border can say."""
    return any(_is_several(one.dataset[row]) for one in sets for row in one.rows)


def _usable(name: str, dataset: Tokenised, config: SftConfig, emit: Emitter) -> Sequence[int]:
    """The rows with a target. A batch without one has a loss of 0/0, which ruins the weights."""
    if not config.mask_prompt:
        return range(len(dataset))
    limit = config.max_seq_length
    indices = [row for row in range(len(dataset)) if _has_target(dataset[row], limit)]
    dropped = len(dataset) - len(indices)
    if not indices:
        raise ValueError(
            f"Every prompt of the {name} set is longer than {limit} tokens, so "
            "nothing of any answer is left to learn. Raise the max sequence length."
        )
    if dropped:
        emit.warning(
            "empty_target",
            f"{dropped} of {len(dataset)} rows of the {name} set are left out: the prompt alone "
            f"fills {limit} tokens, so no answer is left to learn.",
            "Raise the max sequence length, or shorten those prompts.",
        )
    return indices


def _has_target(item: Item, limit: int) -> bool:
    return any(start < min(end, limit) for start, end in item[1])


def _is_several(item: Item) -> bool:
    tokens, spans = item
    return len(spans) > 1 or spans[0][1] < len(tokens)
