"""The engine's batch iterators, replaced: where a step of reinforcement learning begins.

Rows are chosen as in supervised runs, every row once per epoch; most of the engine's trainers would
draw with replacement. The engine's own iterator then makes each batch of the rows we chose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import mlx.core as mx
import numpy as np

from backend.contract.batching import epoch_batches, held_out_batches, step_seed, steps_per_epoch
from backend.engines.rl.hooks import Halted

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which rows are trained on, how long they are, and what makes a batch of them."""

    rows: Sequence[int]
    seed: int
    length: Callable[[Any], int]
    collate: Callable[..., Iterator[Any]]


class RlFeed:
    """In the place of `iterate_*_batches`. `between_steps(done)` answers whether to go on; if not,
    `Halted` is raised out of the engine's loop. `held_out` are the rows of the next evaluation.

    `done` counts whole steps; when the engine came to its last step by itself it is one short.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        between_steps: Callable[[int], bool],
        stopping: Callable[[], bool],
        first_step: int = 0,
    ) -> None:
        self.done = first_step
        self.held_out: Sequence[int] = ()
        self.held_out_batches = -1
        self._plan = plan
        self._between_steps = between_steps
        self._stopping = stopping
        self._first_step = first_step
        self._training: Iterator[Any] | None = None
        self._busy = 0.0
        self._began: float | None = None

    def __call__(
        self, dataset: Any, batch_size: int, max_seq_length: int, train: bool = False
    ) -> Iterator[Any]:
        if not train:
            return self._evaluation(dataset, batch_size, max_seq_length)
        if self._training is None:  # Most trainers ask for a new iterator at every step.
            self._training = self._steps(dataset, batch_size, max_seq_length)
        return self._training

    def take_seconds(self) -> float:
        """Spent in training steps since this was last asked; validations and saves are not."""
        now = time.perf_counter()
        if self._began is not None:
            self._busy += now - self._began
            self._began = now
        taken, self._busy = self._busy, 0.0
        return taken

    def _steps(self, dataset: Any, batch_size: int, limit: int) -> Iterator[Any]:
        plan = self._plan
        epoch, skip = divmod(self._first_step, steps_per_epoch(len(plan.rows), batch_size))
        while True:
            batches = epoch_batches(
                plan.rows,
                lambda row: plan.length(dataset[row]),
                batch_size=batch_size,
                seed=plan.seed,
                epoch=epoch,
            )
            for rows in islice(batches, skip, None):
                if not self._between_steps(self.done):
                    raise Halted
                seed_everything(plan.seed, self.done)
                self._began = time.perf_counter()
                yield self._batch(dataset, rows, limit)
                self._busy += time.perf_counter() - self._began
                self._began = None
                self.done += 1
            epoch, skip = epoch + 1, 0

    def _evaluation(self, dataset: Any, batch_size: int, limit: int) -> Iterator[Any]:
        plan = self._plan
        seed_everything(plan.seed, _VALIDATION)
        for rows in held_out_batches(
            self.held_out,
            lambda row: plan.length(dataset[row]),
            batch_size=batch_size,
            seed=plan.seed,
            limit=self.held_out_batches,
        ):
            if self._stopping():
                raise Halted
            yield self._batch(dataset, rows, limit)

    def _batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any:
        chosen = Chosen(dataset, rows)
        return next(iter(self._plan.collate(chosen, len(rows), limit)))


def seed_everything(seed: int, step: int) -> None:
    """Sampling and dropout of one step, so that a run can be repeated and gone on with."""
    number = step_seed(seed, step)
    mx.random.seed(number)
    np.random.seed(number & 0xFFFFFFFF)
