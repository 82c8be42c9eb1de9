"""The quick way of reading events gives the very numbers of the slow one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.disk.files import JsonlTail, append_jsonl
from backend.jobs.run import follower
from backend.jobs.run.events import parse_event
from backend.jobs.run.follower import FoldedEvents, fold_events
from backend.jobs.run.progress import Progress

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = (
    st.none() | st.integers() | st.floats() | st.integers(min_value=-(2**70), max_value=2**70)
    | st.booleans() | st.text(max_size=3)
)  # fmt: skip
REPORTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["metrics", "metrics", "metrics", "validation", "odd"])},
    optional={
        "step": NUMBERS,
        "train_loss": NUMBERS,
        "trained_tokens": NUMBERS,
        "avg_reward": NUMBERS,
        "from_the_future": NUMBERS,
        "rewards": st.none() | st.just({"f": {"mean": 1, "std": None, "coverage": 0.5}}),
        "details": st.none() | st.just({"x": 1.0}),
        "at": st.none() | st.just("yesterday") | st.just("2026-01-01T00:10:00+00:00"),
    },
)


def slowly(folder: Path) -> Progress:
    progress = Progress(total_steps=9)
    for raw in JsonlTail(folder / "events.jsonl", finite=False).read_all():
        event = parse_event(raw)
        if event is not None:
            progress.apply(event)
    return progress


@settings(max_examples=200, deadline=None)
@given(reports=st.lists(REPORTS, max_size=6))
def test_reports_are_folded_as_their_events_are(
    tmp_path_factory: pytest.TempPathFactory, reports: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with (folder / "events.jsonl").open("w") as file:
        for seq, report in enumerate(reports, start=1):
            at = (START + timedelta(seconds=seq)).isoformat()
            file.write(json.dumps({"seq": seq, "at": at, "step": seq} | report) + "\n")
    quick = Progress(total_steps=9)
    fold_events(folder, quick)
    slow = slowly(folder)
    assert repr((quick.train, quick.validation)) == repr((slow.train, slow.validation))
    assert repr(quick.metrics().model_dump()) == repr(slow.metrics().model_dump())
    assert (quick.last_seq, list(quick.alerts)) == (slow.last_seq, list(slow.alerts))


def report(folder: Path, seq: int) -> None:
    at = (START + timedelta(seconds=seq)).isoformat()
    event = {"seq": seq, "at": at, "type": "metrics", "step": seq, "train_loss": seq / 7}
    append_jsonl(folder / "events.jsonl", event)


def losses(held: FoldedEvents, folder: Path) -> list[float | None]:
    return held.read(folder, Progress.series).train["train_loss"]


def test_only_what_is_new_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offsets: list[int] = []

    def counted(folder: Path, progress: Progress, *, offset: int = 0) -> int:
        offsets.append(offset)
        return fold_events(folder, progress, offset=offset)

    monkeypatch.setattr(follower, "fold_events", counted)
    held = FoldedEvents()
    report(tmp_path, 1)
    assert losses(held, tmp_path) == [1 / 7]
    report(tmp_path, 2)
    assert losses(held, tmp_path) == [1 / 7, 2 / 7]
    assert offsets[0] == 0
    assert offsets[1] > 0


def test_events_that_were_written_anew_are_read_from_the_start(tmp_path: Path) -> None:
    held = FoldedEvents()
    report(tmp_path, 1)
    report(tmp_path, 2)
    losses(held, tmp_path)
    (tmp_path / "events.jsonl").unlink()
    report(tmp_path, 3)
    assert losses(held, tmp_path) == [3 / 7]


def test_few_runs_are_held_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    held = FoldedEvents()
    for name in "abcd":
        (tmp_path / name).mkdir()
        report(tmp_path / name, 1)
        assert losses(held, tmp_path / name) == [1 / 7]
    assert losses(held, tmp_path / "none") == []
    assert len(held._held) == follower.HELD
