"""How much the steps of a run hold at once: what its memory depends on besides the model. Pure.

The order of batches is known before a run, so with the rows' lengths its largest step is too.
Taking every row of a batch to be as long as the longest was up to half too much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backend.contract.batching import (
    held_out_batches,
    padded_width,
    shuffled_batches,
    steps_per_epoch,
)
from backend.contract.step_parts import Part, in_parts

MOST_STEPS = 20_000  # Looked at; at least one epoch is, so that every row is seen.


@dataclass(frozen=True, slots=True)
class Load:
    """Padded tokens, the sum of rows × width² (attention scores), in how many parts, and how many
    of the tokens are learned, if that is known.
    """

    tokens: int
    squares: int
    parts: int = 1
    learned: int | None = None

    @property
    def scored(self) -> int:
        """The positions that go through the output head where only learned ones do."""
        return self.tokens if self.learned is None else self.learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """The different steps of a run, and its largest batch of validation, if it has any."""

    steps: frozenset[Load]
    validation: Load | None = None


def even_loads(rows: int, length: int) -> Loads:
    """Steps of that many rows of one length: all that is known without counted rows."""
    return Loads(steps=frozenset({Load(rows * length, rows * length * length)}))


def loads_of(
    lengths: Sequence[int],
    *,
    batch_size: int,
    max_seq_length: int,
    iterations: int,
    seed: int,
    valid: Sequence[int] = (),
    starts: Sequence[int] | None = None,
) -> Loads:
    """Of rows of these lengths: those that are trained on, in the order of the run's own file, and
    those that are validated on. `starts` says from which token on each row is learned.
    """
    # The first token follows on nothing, so it is never learned.
    learned = [
        max(0, min(length, max_seq_length) - max(1, start))
        for length, start in zip(lengths, starts or [1] * len(lengths), strict=True)
    ]
    per_epoch = steps_per_epoch(len(lengths), batch_size)
    count = min(iterations, max(per_epoch, MOST_STEPS))
    steps: set[Load] = set()
    for epoch in range(math.ceil(count / per_epoch)):
        batches = shuffled_batches(
            range(len(lengths)), batch_size=batch_size, seed=seed, epoch=epoch
        )
        for batch in batches[: count - epoch * per_epoch]:
            parts = in_parts([lengths[row] for row in batch], max_seq_length)
            steps.add(_load(parts, sum(learned[row] for row in batch)))
    return Loads(steps=frozenset(steps), validation=_validation(valid, batch_size, max_seq_length))


def _load(parts: Sequence[Part], learned: int) -> Load:
    return Load(
        sum(part.padded for part in parts),
        sum(part.padded * part.width for part in parts),
        len(parts),
        learned,
    )


def _validation(lengths: Sequence[int], batch_size: int, limit: int) -> Load | None:
    """Batches of validation are sorted by length, and each is padded as a whole."""
    batches = held_out_batches(
        range(len(lengths)), lengths.__getitem__, batch_size=batch_size, seed=0, limit=-1
    )
    loads = [
        Load(len(batch) * width, len(batch) * width * width)
        for batch in batches
        for width in [padded_width(max(lengths[row] for row in batch), limit)]
    ]
    return max(loads, key=lambda load: load.squares, default=None)
