from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.contract.run.events import Metrics, Phase, Progress, Warning, read_event
from backend.engines.process.events import Emitter


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_are_numbered_stamped_and_of_the_known_shapes(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    emit = Emitter(path)
    emit(Phase(name="training"))
    emit(Metrics(step=5, train_loss=1.25))

    first, second = (read_event(event) for event in events(path))

    assert first is not None and first.seq == 1
    assert isinstance(second, Metrics)
    assert (second.seq, second.train_loss) == (2, 1.25)


def test_a_number_that_is_not_finite_is_null_and_warned_of_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    emit = Emitter(path)
    emit(Metrics(step=1, train_loss=float("nan")))
    emit(Metrics(step=2, train_loss=float("inf")))

    written = events(path)

    assert [event["type"] for event in written] == ["metrics", "warning", "metrics"]
    assert written[0]["train_loss"] is None
    warning = read_event(written[1])
    assert isinstance(warning, Warning)
    assert "nan" in warning.message


def test_numbers_go_on_where_a_run_left_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Emitter(path)(Phase(name="training"))
    Emitter(path)(Phase(name="done"))

    assert [event["seq"] for event in events(path)] == [1, 2]


def test_the_parts_of_a_job_tell_one_progress_that_only_rises(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    emit = Emitter(path)
    for start, end in ((0.0, 0.25), (0.25, 1.0)):
        emit.part(start, end)
        for done in (1, 2):
            emit(Progress(done=done, total=2))

    shares = [event["done"] / event["total"] for event in events(path)]

    assert shares == [0.125, 0.25, 0.625, 1.0]
