"""Which rows make up which batch: a pure function of (seed, epoch), so that a run can be repeated.

The engine's own sort by length does nothing for local files (it compares the number of keys of a
row), and it never trains on the last `rows % batch_size` rows. Here every row is used exactly once
per epoch. Padding is saved inside a step where the loss is per token (`parts`), and by sorting
rows into batches where it is per row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

PAD_TO = 32  # As the engine: few widths, so that few shapes are compiled.
WINDOW = 32  # Batches whose rows are sorted together: enough to save padding, still well mixed.

Length = Callable[[int], int]


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Batches in one pass over the data; the last may be smaller."""
    return -(-rows // batch_size)


def shuffled_batches(
    rows: Sequence[int], *, batch_size: int, seed: int, epoch: int
) -> list[list[int]]:
    """The batches of one epoch, as chance has it."""
    order, _ = _shuffled(rows, seed=seed, epoch=epoch)
    return _cut(order, batch_size)


def epoch_batches(
    rows: Sequence[int], length: Length, *, batch_size: int, seed: int, epoch: int
) -> Iterator[list[int]]:
    """The batches of one epoch, of rows of like length.

    `length` is asked for one window at a time, as it is reached. Not for a loss that is a mean per
    token: short rows would weigh more than in mixed batches, which costs validation loss.
    """
    order, chance = _shuffled(rows, seed=seed, epoch=epoch)
    span = batch_size * WINDOW
    for start in range(0, len(order), span):
        window = sorted(order[start : start + span], key=length)
        batches = _cut(window, batch_size)
        chance.shuffle(batches)
        yield from batches


def held_out_batches(
    rows: Sequence[int], length: Length, *, batch_size: int, seed: int, limit: int
) -> list[list[int]]:
    """The batches of every validation: always the same rows, so that the losses compare.

    `limit` batches of a seeded choice of rows, or all of them for -1.
    """
    order = list(rows)
    random.Random(f"{seed}/held out").shuffle(order)
    batches = order if limit < 0 else order[: limit * batch_size]
    return _cut(sorted(batches, key=length), batch_size)


def padded_length(longest: int) -> int:
    """The engine's own rule: one more than the next multiple of 32."""
    return 1 + PAD_TO * -(-longest // PAD_TO)


def padded_width(longest: int, max_seq_length: int) -> int:
    """The same, never over the limit."""
    return min(padded_length(longest), max_seq_length)


def step_seed(seed: int, step: int) -> int:
    """The random state (dropout) of one step, so that a continued run draws the same numbers."""
    return random.Random(f"{seed}/step/{step}").getrandbits(63)


def _shuffled(rows: Sequence[int], *, seed: int, epoch: int) -> tuple[list[int], random.Random]:
    chance = random.Random(f"{seed}/{epoch}")  # A text seed gives the same order on any machine.
    order = list(rows)
    chance.shuffle(order)
    return order, chance


def _cut(rows: Sequence[int], batch_size: int) -> list[list[int]]:
    return [list(rows[at : at + batch_size]) for at in range(0, len(rows), batch_size)]
