"""A feed goes on at any step as if it had never stopped, and ends between two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.engines.process.events import Emitter
from backend.engines.trainer.feed import Batches, Feed, Halted
from backend.engines.trainer.types import DataSet

ROWS = range(5)


class Pairs(Batches):
    """Two rows a batch, another order in each epoch, and a note of every seed."""

    def __init__(self) -> None:
        super().__init__(ROWS, batch_size=2, seed=0, length=len)
        self.seeds: list[int] = []

    def epoch(self, dataset: Any, epoch: int) -> Iterable[Sequence[int]]:
        turned = [(row + epoch) % len(ROWS) for row in ROWS]
        return [turned[at : at + 2] for at in range(0, len(turned), 2)]

    def seed_step(self, step: int) -> None:
        self.seeds.append(step)

    def training_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any:
        return tuple(rows)

    def evaluation_batch(self, dataset: Any, rows: Sequence[int], limit: int) -> Any:
        return tuple(rows)


def feed(
    folder: Path,
    *,
    last: int = 7,
    stopping: Callable[[], bool] = lambda: False,
    first_step: int = 0,
) -> Feed:
    return Feed(
        Pairs(),
        between_steps=lambda done: done < last,
        stopping=stopping,
        emit=Emitter(folder / "events.jsonl"),
        first_step=first_step,
    )


def drawn(feeding: Feed) -> list[Any]:
    steps = []
    with pytest.raises(Halted):
        for batch in feeding("x" * 5, 2, 10, train=True):
            steps.append(batch)
    return steps


def test_it_leaves_the_engines_loop_between_two_steps(tmp_path: Path) -> None:
    whole = feed(tmp_path)

    assert len(drawn(whole)) == whole.done == 7


@pytest.mark.parametrize("first", [1, 3, 4])
def test_it_goes_on_at_a_step_with_the_rows_of_an_unbroken_run(tmp_path: Path, first: int) -> None:
    assert drawn(feed(tmp_path, first_step=first)) == drawn(feed(tmp_path))[first:]


def test_a_trainer_that_asks_for_an_iterator_at_every_step_gets_the_same_one(
    tmp_path: Path,
) -> None:
    asked = feed(tmp_path)

    batches = [next(asked("x" * 5, 2, 10, train=True)) for _ in range(4)]

    assert batches == drawn(feed(tmp_path))[:4]


def test_a_stop_ends_an_evaluation_at_its_next_batch(tmp_path: Path) -> None:
    batches = 0
    evaluating = feed(tmp_path, stopping=lambda: batches == 2)
    evaluating.hold_out(DataSet(dataset="xxxxx", rows=ROWS))

    with pytest.raises(Halted):
        for _ in evaluating("xxxxx", 2, 10):
            batches += 1

    assert batches == 2
    assert '"name": "evaluating"' in (tmp_path / "events.jsonl").read_text().replace('":"', '": "')
