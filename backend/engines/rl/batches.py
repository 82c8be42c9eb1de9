"""The batches of reinforcement and preference learning: every row once per epoch, as in supervised
runs; most of the engine's trainers would draw with replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from backend.contract.batching import epoch_batches, step_seed
from backend.engines.trainer.feed import Batches

_VALIDATION = -1  # In the place of a step: every validation draws the same random numbers.


class Chosen:
    """Some rows of a dataset, as a dataset."""

    def __init__(self, dataset: Any, rows: Sequence[int]) -> None:
        self._dataset = dataset
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[self._rows[index]]


class RlBatches(Batches):
    """Batches of rows of like length; `collate` is the engine's own iterator, which makes one of
    the rows it is given.
    """

    def __init__(
        self, rows: Sequence[int], *, collate: Callable[..., Iterator[Any]], **shape: Any
    ) -> None:
        super().__init__(rows, **shape)
        self._collate = collate

    def epoch(self, dataset: Any, epoch: int) -> Iterable[Sequence[int]]:
        return epoch_batches(
            self._rows,
            lambda row: self._length(dataset[row]),
            batch_size=self._batch_size,
            seed=self._seed,
            epoch=epoch,
        )

    def seed_step(self, step: int) -> None:
        seed_everything(self._seed, step)

    def seed_evaluation(self) -> None:
        seed_everything(self._seed, _VALIDATION)

    def training_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any:
        subset = Chosen(dataset, rows)
        return next(iter(self._collate(subset, len(rows), limit)))

    def evaluation_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any:
        return self.training_batch(dataset, rows, limit)


def seed_everything(seed: int, step: int) -> None:
    """Sampling and dropout of one step, so that a run can be repeated and gone on with."""
    number = step_seed(seed, step)
    mx.random.seed(number)
    np.random.seed(number & 0xFFFFFFFF)
