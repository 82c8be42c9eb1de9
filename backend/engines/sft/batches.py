"""The engine's `iterate_batches`: where a step begins, and so where a run can be steered.

Between two steps the weights are whole. That is the moment to save, pause, stop, and to notice
that training has diverged, without touching the engine's own loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import mlx.core as mx
import numpy as np

from backend.contract.batching import (
    held_out_batches,
    padded_width,
    shuffled_batches,
    step_seed,
    steps_per_epoch,
)
from backend.contract.run.events import Phase
from backend.contract.step_parts import in_parts
from backend.engines.process.events import Emitter
from backend.engines.process.token_types import Item
from backend.engines.ranks.share import ALONE, Share
from backend.engines.trainer.types import Tokenised

Batch = tuple[mx.array, ...]  # Tokens and what is learned of them, for each part of the step.

# How a batch says what is learned: per row (start, end) for the engine's `default_loss`; a mask for
# `masked_loss`, where some row has several spans or one that ends early; or `learned_positions`.
Learned = Literal["borders", "mask", "positions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The usable rows of one set, and how they are drawn."""

    train: Sequence[int]
    valid: Sequence[int]
    seed: int
    valid_batches: int = -1
    learned: Learned = "borders"


class StepFeed:
    """Batches for `mlx_lm.tuner.trainer.train`, in the order of (seed, epoch, step).

    A training step may come in two parts, so its loss is to be an `over_parts`.

    `between_steps(done)` is called before each training step with the number of steps already
    done, and answers whether to go on. `ended` tells that it said no; otherwise the engine came to
    its last step without asking for another batch, and `done` is one short. `tokens` counts what
    was trained on, as the engine counts.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        between_steps: Callable[[int], bool],
        stopping: Callable[[], bool],
        emit: Emitter,
        first_step: int = 0,
        tokens: int = 0,
        share: Share = ALONE,
    ) -> None:
        self.done = first_step
        self.tokens = tokens
        self.ended = False
        self._rows = rows
        self._between_steps = between_steps
        self._stopping = stopping
        self._emit = emit
        self._first_step = first_step
        self._share = share
        self._cut_seen = False

    def __call__(
        self,
        dataset: Tokenised,
        batch_size: int,
        max_seq_length: int,
        loop: bool = False,
        comm_group: Any = None,
    ) -> Iterator[Batch]:
        """The engine calls this with `loop` for training and without for an evaluation."""
        if loop:
            return self._training(dataset, batch_size, max_seq_length)
        return self._evaluation(dataset, batch_size, max_seq_length)

    def _training(self, dataset: Tokenised, batch_size: int, limit: int) -> Iterator[Batch]:
        per_epoch = steps_per_epoch(len(self._rows.train), batch_size)
        epoch, skip = divmod(self._first_step, per_epoch)
        while True:
            batches = shuffled_batches(
                self._rows.train, batch_size=batch_size, seed=self._rows.seed, epoch=epoch
            )
            for batch in islice(batches, skip, None):
                if not self._between_steps(self.done):
                    self.ended = True
                    return
                mx.random.seed(step_seed(self._rows.seed, self.done) + self._share.rank)
                items = [dataset[row] for row in batch]
                learned = int(target_mask(items, limit).sum())
                self.tokens += learned
                yield self._step(items, limit, learned)
                self.done += 1
            epoch, skip = epoch + 1, 0

    def _evaluation(self, dataset: Tokenised, batch_size: int, limit: int) -> Iterator[Batch]:
        self._emit(Phase(name="evaluating"))
        batches = held_out_batches(
            self._rows.valid,
            lambda row: len(dataset[row][0]),
            batch_size=batch_size,
            seed=self._rows.seed,
            limit=self._rows.valid_batches,
        )
        for batch in batches:
            if self._stopping():
                return
            items = [dataset[row] for row in batch]
            self._note_cut(items, limit)
            own = self._share.of(items)
            arrays = collate(own or items[:1], limit, learned=self._rows.learned)
            yield (*arrays, *self._weight(own, 1.0))

    def _step(self, items: Sequence[Item], limit: int, learned: int) -> Batch:
        self._note_cut(items, limit)
        own = self._share.of(items)
        there = own or items[:1]
        arrays: list[mx.array] = []
        for part in in_parts([len(tokens) for tokens, _ in there], limit):
            rows = [there[at] for at in part.rows]
            arrays += collate(rows, limit, learned=self._rows.learned, width=part.width)
        if self._share.size == 1:
            return tuple(arrays)
        mine = int(target_mask(there, limit).sum())
        return (*arrays, *self._weight(own, self._share.size * mine / learned))

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
        kept = tokens[:limit]
        padded[row, : len(kept)] = kept
        borders.append((spans[0][0], len(kept)))
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
