from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.contract.run.events import Metrics, Phase, Progress, Warning, read_event
from backend.contract.run.numbers import FunctionReward
from backend.engines.process.events import Emitter, PartEmitter


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


def test_numbers_inside_a_report_that_are_not_finite_are_null_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    rewards = {"length": FunctionReward(mean=float("nan"), std=0.5, coverage=1.0)}
    details = {"margin": float("-inf"), "ratio": 0.5}
    Emitter(path)(Metrics(step=1, train_loss=2.0, details=details, rewards=rewards))

    report, *warnings = events(path)

    assert report["details"] == {"margin": None, "ratio": 0.5}
    assert report["rewards"]["length"]["mean"] is None
    assert report["rewards"]["length"]["std"] == 0.5
    assert isinstance(read_event(report), Metrics)
    assert [each["message"].split(" ")[0] for each in warnings] == [
        "details.margin", "rewards.length.mean",
    ]  # fmt: skip


def test_numbers_go_on_where_a_run_left_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Emitter(path)(Phase(name="training"))
    Emitter(path)(Phase(name="done"))

    assert [event["seq"] for event in events(path)] == [1, 2]


def test_a_part_of_a_job_tells_its_progress_as_a_part_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    part = PartEmitter(Emitter(path), start=200, end=1000, total=1000)

    part(Progress(done=1, total=2))
    part(Phase(name="scoring"))
    part(Progress(done=2, total=2))

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["type"], line.get("done"), line.get("total")) for line in lines] == [
        ("progress", 600, 1000),
        ("phase", None, None),
        ("progress", 1000, 1000),
    ]
