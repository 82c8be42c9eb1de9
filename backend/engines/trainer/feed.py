"""The engine's batch iterator, replaced: where a step begins, and so where a run can be steered.

Between two steps the weights are whole. That is the moment to validate, save, pause and stop,
without touching the engine's own loop.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from backend.contract.batching import held_out_batches, steps_per_epoch
from backend.contract.run.events import Phase
from backend.engines.process.events import Emitter
from backend.engines.trainer.types import DataSet


class Halted(Exception):
    """Raised by our hooks to leave the engine's loop; the weights are those of the last step."""


class Batches(ABC):
    """Which of `rows` a step has, and what the engine gets of them. Pure in (seed, epoch, step).

    `dataset` is the engine's, `length` says how many tokens one of its rows has, `limit` is its
    longest row.
    """

    def __init__(
        self, rows: Sequence[int], *, batch_size: int, seed: int, length: Callable[[Any], int]
    ) -> None:
        self.per_epoch = steps_per_epoch(len(rows), batch_size)
        self._rows = rows
        self._batch_size = batch_size
        self._seed = seed
        self._length = length

    @abstractmethod
    def epoch(self, dataset: Any, epoch: int) -> Iterable[Sequence[int]]:
        """The rows of each step of an epoch."""

    def held_out(self, dataset: Any, rows: Sequence[int], batches: int) -> Iterable[Sequence[int]]:
        """The rows of each batch of an evaluation, up to so many or, for -1, all."""
        return held_out_batches(
            rows,
            lambda row: self._length(dataset[row]),
            batch_size=self._batch_size,
            seed=self._seed,
            limit=batches,
        )

    @abstractmethod
    def seed_step(self, step: int) -> None:
        """The random numbers of one step, so that a run can be repeated and gone on with."""

    def seed_evaluation(self) -> None:  # noqa: B027 - most often nothing is
        """Those of an evaluation, where something in it is left to chance: the same each time."""

    @abstractmethod
    def training_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any: ...

    @abstractmethod
    def evaluation_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any: ...


class Feed:
    """In the place of the engine's iterator, in the order of (seed, epoch, step).

    `between_steps(done)` is called before each step with the number of steps already done, and
    answers whether to go on; if not, `Halted` is raised out of the engine's loop, as it is when an
    evaluation should stop. `done` counts whole steps; when the engine came to its last step by
    itself it is one short.
    """

    def __init__(
        self,
        batches: Batches,
        *,
        between_steps: Callable[[int], bool],
        stopping: Callable[[], bool],
        emit: Emitter,
        first_step: int = 0,
    ) -> None:
        self.done = first_step
        self._batches = batches
        self._between_steps = between_steps
        self._stopping = stopping
        self._emit = emit
        self._first_step = first_step
        self._held_out: tuple[Sequence[int], int] = ((), -1)
        self._training: Iterator[Any] | None = None
        self._busy = 0.0
        self._began: float | None = None

    def hold_out(self, which: DataSet, batches: int = -1) -> None:
        """What the engine's next evaluations are of: up to so many batches, or all of them."""
        self._held_out = (which.rows, batches)

    def __call__(
        self,
        dataset: Any,
        batch_size: int,
        max_seq_length: int,
        loop: bool = False,
        train: bool = False,
        comm_group: Any = None,
    ) -> Iterator[Any]:
        """mlx_lm asks with `loop` for training, mlx_lm_lora with `train`."""
        if not (loop or train):
            return self._evaluation(dataset, max_seq_length)
        if self._training is None:  # Most trainers ask for a new iterator at every step.
            self._training = self._steps(dataset, max_seq_length)
        return self._training

    def take_seconds(self) -> float:
        """Spent in training steps since this was last asked; what happens between is not."""
        now = time.perf_counter()
        if self._began is not None:
            self._busy += now - self._began
            self._began = now
        seconds, self._busy = self._busy, 0.0
        return seconds

    def _steps(self, dataset: Any, limit: int) -> Iterator[Any]:
        batches = self._batches
        epoch, skip = divmod(self._first_step, batches.per_epoch)
        while True:
            for rows in islice(batches.epoch(dataset, epoch), skip, None):
                if not self._between_steps(self.done):
                    raise Halted
                batches.seed_step(self.done)
                self._began = time.perf_counter()
                yield batches.training_batch(dataset, rows, limit)
                self._busy += time.perf_counter() - self._began
                self._began = None
                self.done += 1
            epoch, skip = epoch + 1, 0

    def _evaluation(self, dataset: Any, limit: int) -> Iterator[Any]:
        self._emit(Phase(name="evaluating"))
        self._batches.seed_evaluation()
        for rows in self._batches.held_out(dataset, *self._held_out):
            if self._stopping():
                raise Halted
            yield self._batches.evaluation_batch(dataset, rows, limit)
