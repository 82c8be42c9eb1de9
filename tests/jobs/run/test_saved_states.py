"""What a run hands on to the one that continues it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backend.contract.run.events import Validation
from backend.jobs.run.events import Best, Checkpoint, Event, parse_event
from backend.jobs.run.progress import RunProgress
from backend.jobs.run.saved_states import hand_on, saved_states

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def write_state(run: Path, checkpoint: int, *, step: int | None = None, **fields: Any) -> None:
    """The files of one saved state, with a word for tensors."""
    folder = run / "state"
    folder.mkdir(parents=True, exist_ok=True)
    value = {
        "checkpoint": checkpoint, "step": step or checkpoint, "best": None, "train_loss": 1.0,
        "saved_at": BEGAN.isoformat(), "weights": f"{checkpoint:07d}.weights.safetensors",
        "optimizer": f"{checkpoint:07d}.optimizer.safetensors", "best_weights": None, "seed": 0,
    } | fields  # fmt: skip
    for name in filter(None, (value["weights"], value["optimizer"], value["best_weights"])):
        (folder / name).write_text(f"{name} of {checkpoint}")
    (folder / f"{checkpoint:07d}.json").write_text(json.dumps(value))


def write_events(run: Path, events: list[dict[str, Any]]) -> None:
    run.mkdir(parents=True, exist_ok=True)
    lines = [
        {"seq": number, "at": (BEGAN + timedelta(seconds=10 * number)).isoformat(), **event}
        for number, event in enumerate(events, start=1)
    ]
    (run / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def history(run: Path) -> list[Event]:
    lines = (run / "events.jsonl").read_text().splitlines()
    found = [parse_event(json.loads(line)) for line in lines]
    return [event for event in found if event is not None]


def make_source(root: Path) -> Path:
    source = root / "source"
    write_state(source, 10)
    write_state(source, 20, step=18, best=[15, 0.5], best_weights="best-0000015.safetensors")
    write_state(source, 30)
    write_events(
        source,
        [
            {"type": "phase", "name": "training"},
            {"type": "validation", "step": 0, "val_loss": 2.0},
            {"type": "metrics", "step": 10, "train_loss": 1.0},
            {"type": "checkpoint", "step": 10, "path": "/old/0000010_adapters.safetensors"},
            {"type": "best", "step": 15, "val_loss": 0.5, "path": "/old/best_adapters.safetensors"},
            {"type": "validation", "step": 18, "val_loss": 0.4},
            {"type": "metrics", "step": 20, "train_loss": 0.9},
            {"type": "best", "step": 25, "val_loss": 0.3, "path": "/old/best_adapters.safetensors"},
            {"type": "exit", "state": "stopped", "code": 0, "message": "Stopped."},
        ],
    )
    return source


def hand_over(root: Path) -> Path:
    source, target = make_source(root), root / "target"
    target.mkdir()
    hand_on(source, target, saved_states(source)[1], session_id="one", adapter=Path("/new"))
    return target


def test_the_history_up_to_the_step_is_handed_on_and_nothing_after_it(tmp_path: Path) -> None:
    events = history(hand_over(tmp_path))

    assert [(event.type, getattr(event, "step", None)) for event in events] == [
        ("validation", 0), ("metrics", 10), ("checkpoint", 10), ("best", 15), ("resumed", 18),
    ]  # fmt: skip
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert {event.path for event in events if isinstance(event, Best | Checkpoint)} == {
        "/new/0000010_adapters.safetensors", "/new/best_adapters.safetensors"
    }  # fmt: skip


def test_a_validation_of_the_very_step_is_handed_on_once_it_was_finished(tmp_path: Path) -> None:
    source, target = make_source(tmp_path), tmp_path / "target"
    write_state(source, 18, validated=18)
    target.mkdir()
    hand_on(source, target, saved_states(source)[1], session_id="one", adapter=Path("/new"))

    validations = [event.step for event in history(target) if isinstance(event, Validation)]
    assert validations == [0, 18]


def test_the_states_up_to_the_checkpoint_are_handed_on(tmp_path: Path) -> None:
    target = hand_over(tmp_path)

    assert [state.checkpoint for state in saved_states(target)] == [10, 20]
    assert (target / "state" / "best-0000015.safetensors").read_text().endswith("of 20")


def test_a_state_that_was_cut_short_does_not_count(tmp_path: Path) -> None:
    source = make_source(tmp_path)
    (source / "state" / "0000030.optimizer.safetensors").unlink()
    (source / "state" / "0000020.json").write_text('{"checkpoint": 20, "st')

    assert [state.checkpoint for state in saved_states(source)] == [10]


def test_a_state_that_names_files_elsewhere_does_not_count(tmp_path: Path) -> None:
    write_state(tmp_path, 10)
    path = tmp_path / "state" / "0000010.json"
    path.write_text(path.read_text().replace("0000010.weights", "../0000010.weights"))

    assert saved_states(tmp_path) == []


def test_the_time_between_the_two_runs_is_no_time_of_training(tmp_path: Path) -> None:
    progress = RunProgress()

    for event in history(hand_over(tmp_path)):
        progress.apply(event)

    assert progress.exit is None
    assert progress.metrics().elapsed_seconds == 30.0  # From the validation to the best, in 10 s.
