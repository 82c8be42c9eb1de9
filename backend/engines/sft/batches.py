"""The batches of supervised fine-tuning: which rows a step has, and the arrays that they become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import mlx.core as mx
import numpy as np

from backend.contract.batching import padded_width, shuffled_batches, step_seed
from backend.contract.step_parts import in_parts
from backend.engines.process.events import Emitter
from backend.engines.process.token_types import Item
from backend.engines.ranks.share import ALONE, Share
from backend.engines.trainer.feed import Batches
from backend.engines.trainer.types import Tokenised

Batch = tuple[mx.array, ...]  # Tokens and what is learned of them, for each part of the step.

# How a batch says what is learned: per row (start, end) for the engine's `default_loss`; a mask for
# `masked_loss`, where some row has several spans or one that ends early; or `learned_positions`.
Learned = Literal["borders", "mask", "positions"]


class SftBatches(Batches):
    """Batches of any rows together, since the loss is a mean per token.

    A training step may come in two parts, so its loss is to be an `over_parts`. `tokens` counts
    what was trained on, as the engine counts.
    """

    def __init__(
        self,
        rows: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        learned: Learned,
        emit: Emitter,
        tokens: int = 0,
        share: Share = ALONE,
    ) -> None:
        super().__init__(rows, batch_size=batch_size, seed=seed, length=lambda item: len(item[0]))
        self.tokens = tokens
        self._learned = learned
        self._emit = emit
        self._share = share
        self._cut_seen = False

    def epoch(self, dataset: Tokenised, epoch: int) -> Iterable[Sequence[int]]:
        return shuffled_batches(
            self._rows, batch_size=self._batch_size, seed=self._seed, epoch=epoch
        )

    def seed_step(self, step: int) -> None:
        mx.random.seed(step_seed(self._seed, step) + self._share.rank)

    def training_batch(self, dataset: Tokenised, rows: Sequence[int], limit: int) -> Batch:
        items = [dataset[row] for row in rows]
        learned = int(target_mask(items, limit).sum())
        self.tokens += learned
        self._note_cut(items, limit)
        own = self._share.of(items)
        there = own or items[:1]
        arrays: list[mx.array] = []
        for part in in_parts([len(tokens) for tokens, _ in there], limit):
            members = [there[at] for at in part.rows]
            arrays += collate(members, limit, learned=self._learned, width=part.width)
        if self._share.size == 1:
            return tuple(arrays)
        mine = int(target_mask(there, limit).sum())
        return (*arrays, *self._weight(own, self._share.size * mine / learned))

    def evaluation_batch(self, dataset: Tokenised, rows: Sequence[int], limit: int) -> Batch:
        items = [dataset[row] for row in rows]
        self._note_cut(items, limit)
        own = self._share.of(items)
        arrays = collate(own or items[:1], limit, learned=self._learned)
        return (*arrays, *self._weight(own, 1.0))

    def _weight(self, own: Sequence[Item], weight: float) -> Batch:
        """What `of_share` wants; nothing for a run of one process."""
        if self._share.size == 1:
            return ()
        return (mx.array([weight, 1.0] if own else [0.0, 0.0]),)

    def _note_cut(self, items: Sequence[Item], limit: int) -> None:
        longest = max(len(tokens) for tokens, _ in items)
        if longest > limit and not self._cut_seen:
            self._cut_seen = True
            self._emit.warning(
                "truncated",
                f"Some rows are longer than {limit} tokens and are cut there; the first one seen "
                f"has {longest}.",
                "Raise the max sequence length, or split long rows.",
            )


def collate(
    items: Sequence[Item], limit: int, *, learned: Learned = "borders", width: int | None = None
) -> tuple[mx.array, mx.array]:
    """Padded tokens of shape (rows, width), and which of them are learned.

    Without a `width` it is the engine's own.
    """
    width = width or _own_width(items, limit)
    padded = np.zeros((len(items), width), np.int32)
    borders = []
    for row, (tokens, spans) in enumerate(items):
        shortened = tokens[:limit]
        padded[row, : len(shortened)] = shortened
        borders.append((spans[0][0], len(shortened)))
    if learned == "borders":
        return mx.array(padded), mx.array(borders)
    mask = target_mask(items, limit, width)
    return mx.array(padded), mx.array(mask if learned == "mask" else learned_positions(mask))


def learned_positions(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Where a mask is on, of shape (2, n): indices into the flat mask, and 1 for each that counts.

    Filled up with positions that do not count, by 31 or an eighth at most: a compiled step then
    meets few shapes.
    """
    there = np.flatnonzero(mask)
    step = max(32, 2 ** max(len(there).bit_length() - 4, 0))
    size = min(-(-max(len(there), 1) // step) * step, mask.size)
    filled = np.zeros((2, size), np.int32)
    filled[0, : len(there)] = there
    filled[1, : len(there)] = 1
    return filled


def target_mask(
    items: Sequence[Item], limit: int, width: int | None = None
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Of shape (rows, width - 1): whether the token after each position is learned.

    As in the engine, a row that is learned to its end also learns the first padding after it.
    """
    width = width or _own_width(items, limit)
    mask = np.zeros((len(items), width - 1), np.bool_)
    for row, (tokens, spans) in enumerate(items):
        for start, end in spans:
            last = end if end == len(tokens) else end - 1
            mask[row, max(start, 1) - 1 : last] = True
    return mask


def _own_width(items: Sequence[Item], limit: int) -> int:
    return padded_width(max(len(tokens) for tokens, _ in items), limit)
