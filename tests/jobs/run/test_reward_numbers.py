"""What training by rewards and by preferences adds to a run, from its events to its record."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from backend.contract.run.numbers import FunctionReward
from backend.jobs.live_run import LiveRun
from backend.jobs.run.events import parse_event
from backend.jobs.run.legacy_records import to_record, to_summary
from backend.jobs.run.progress import MAX_SAMPLES, RunProgress, thin_series
from backend.jobs.run.reward_numbers import MOST_ANSWERED
from backend.jobs.run.schemas import BestModel, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from tests.jobs.run.test_progress import START, events_of, told

REPORT = {
    "step": 10,
    "train_loss": 0.01,
    "avg_reward": 0.5,
    "reward_std": 0.2,
    "kl": 0.03,
    "clip_ratio": None,
    "rewards": {
        "token_f1": {"mean": 0.4, "std": 0.1, "coverage": 1.0},
        "length_window(20;80)": {"mean": 0.6, "std": math.nan, "coverage": 0.5},
    },
}
CHECK = {
    "step": 10,
    "val_reward": 0.45,
    "val_reward_std": 0.1,
    "val_rewards": {"token_f1": 0.4, "length_window(20;80)": 0.5},
}
SAMPLE = {
    "step": 10,
    "prompt": "2 + 2",
    "text": "4",
    "answer": "4",
    "rewards": {"token_f1": 1.0, "length_window(20;80)": None},
    "total": 1.0,
    "split": "train",
}


def record(*history: tuple[float, str, dict[str, Any]], **more: Any) -> LiveRun:
    kept = SessionRecord(
        session_id="r",
        timestamp=START,
        training_state=RunState.RUNNING,
        state=RunState.RUNNING,
        method="gspo",
        **more,
    )
    run = LiveRun(kept)
    for event in events_of(*history):
        run.apply(event)
    return run


def test_every_reward_function_has_a_curve_of_its_own() -> None:
    series = told(
        (0, "metrics", {"step": 5, "train_loss": 0.0}),
        (1, "metrics", REPORT),
        (2, "validation", CHECK),
    ).series()
    assert series.train["avg_reward"] == [None, 0.5]
    assert series.train["reward/token_f1"] == [None, 0.4]
    assert series.train["reward/length_window(20;80)"] == [None, 0.6]
    assert series.validation["val_reward"] == [0.45]
    assert series.validation["val_reward/token_f1"] == [0.4]
    assert "rewards" not in series.train


def test_what_a_method_does_not_have_is_no_column_and_no_number() -> None:
    progress = told((0, "metrics", REPORT), (1, "validation", CHECK))
    assert "clip_ratio" not in progress.series().train
    assert "val_accuracy" not in progress.series().validation
    latest = progress.metrics()
    assert (latest.clip_ratio, latest.entropy, latest.margin) == (None, None, None)
    plain = told((0, "metrics", {"step": 1, "train_loss": 2.0}), (1, "validation", {"step": 1}))
    assert set(plain.series().train) == set(RunProgress().train)
    assert set(plain.series().validation) == set(RunProgress().validation)


def test_the_latest_rewards_are_known_by_function_and_never_not_finite() -> None:
    latest = told((0, "metrics", REPORT), (1, "validation", CHECK)).metrics()
    assert (latest.avg_reward, latest.reward_std, latest.kl) == (0.5, 0.2, 0.03)
    assert latest.rewards is not None
    assert latest.rewards["token_f1"] == FunctionReward(mean=0.4, std=0.1, coverage=1.0)
    assert latest.rewards["length_window(20;80)"].std is None
    assert (latest.val_reward, latest.val_rewards) == (0.45, CHECK["val_rewards"])


def test_the_best_may_go_by_reward_and_says_so() -> None:
    best = {"step": 10, "path": "/b", "metric": "val_reward", "value": 0.45, "val_loss": 0.002}
    run = record((0, "validation", CHECK), (1, "best", best))
    run.note_metrics()
    assert run.record.best_model == BestModel.model_validate(best)
    metrics = run.metrics()
    assert (metrics.best_metric, metrics.best_value, metrics.best_model_step) == (
        "val_reward",
        0.45,
        10,
    )
    assert metrics.best_val_loss is None, "a loss that says nothing about quality is no best"

    stored = json.loads(run.record.model_dump_json())
    assert to_record(stored, "r").best_model == run.record.best_model
    row = to_summary(stored, "r")
    assert (row.method, row.best_metric, row.best_value, row.best_val_loss) == (
        "gspo",
        "val_reward",
        0.45,
        None,
    )


def test_the_best_of_an_older_record_goes_by_validation_loss() -> None:
    old = {
        "best_model": {"val_loss": 1.25, "step": 40, "path": "/b"},
        "training_state": "completed",
    }
    best = to_record(old, "r").best_model
    assert best is not None
    assert (best.metric, best.value, best.val_loss) == ("val_loss", 1.25, 1.25)
    row = to_summary(old, "r")
    assert (row.best_metric, row.best_value, row.best_val_loss) == ("val_loss", 1.25, 1.25)


def test_a_best_without_a_finite_value_is_not_kept() -> None:
    progress = told(
        (0, "best", {"step": 1, "path": "/b", "metric": "val_reward", "value": math.nan}),
        (1, "best", {"step": 2, "path": "/b"}),
    )
    assert progress.best is None


def test_a_sample_is_told_and_kept_for_a_reload() -> None:
    run = record((0, "sample", SAMPLE))
    expected = {**SAMPLE, "rewards": {"token_f1": 1.0, "length_window(20;80)": None}}
    assert [sample.model_dump() for sample in run.snapshot(1, []).samples] == [expected]


def test_samples_and_the_best_are_told_as_they_come() -> None:
    best = {"step": 10, "path": "/b", "metric": "val_accuracy", "value": 0.75}
    run = record((0, "sample", SAMPLE), (1, "best", best))
    kinds: dict[str, Any] = {}
    for raw in ({"type": "sample", **SAMPLE}, {"type": "best", **best}):
        event = parse_event({"seq": 9, "at": START, **raw})
        assert event is not None
        kinds |= {kind: data.model_dump() for kind, data in run.frames_for(event)}
    assert kinds["training_sample"]["total"] == 1.0
    assert kinds["best_model_updated"] == {**best, "val_loss": None}


def test_a_stored_session_still_has_its_samples(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    store.open()
    store.save(record().record)
    folder = store.folder("r")
    folder.mkdir()
    line = json.dumps({"seq": 1, "at": START.isoformat(), "type": "sample", **SAMPLE})
    (folder / "events.jsonl").write_text(line + "\n", encoding="utf-8")
    assert [sample.text for sample in store.samples("r")] == ["4"]


def test_only_the_last_samples_are_kept() -> None:
    samples = [(n, "sample", {"step": n, "prompt": "p", "text": str(n)}) for n in range(100)]
    kept = told(*samples).samples
    assert len(kept) == MAX_SAMPLES
    assert (kept[0].text, kept[-1].text) == (str(100 - MAX_SAMPLES), "99")
    assert kept[-1].rewards is None


def test_answers_to_sample_prompts_are_kept_by_step_beside_the_completions() -> None:
    def answer(step: int, prompt: str, text: str) -> tuple[float, str, dict[str, Any]]:
        return step, "sample", {"step": step, "prompt": prompt, "text": text, "split": "prompt"}

    again = answer(10, "a", "better")
    kept = told(answer(0, "a", "base"), answer(10, "a", "x"), (10, "sample", SAMPLE), again).samples

    assert [(one.split, one.step, one.text) for one in kept] == [
        ("train", 10, "4"), ("prompt", 0, "base"), ("prompt", 10, "better"),
    ]  # fmt: skip
    long = told(*(answer(step, "a", str(step)) for step in range(100))).samples
    assert len(long) <= MOST_ANSWERED
    assert (long[0].text, long[-1].text) == ("0", "99")


def test_the_metrics_name_the_method() -> None:
    assert record().metrics().method == "gspo"
    assert record((0, "metrics", REPORT)).metrics().method == "gspo"


def test_thinning_keeps_the_spikes_of_the_reward() -> None:
    history = [
        (n, "metrics", {"step": n, "train_loss": 0.0, "avg_reward": 9.0 if n == 777 else 0.0})
        for n in range(1, 2001)
    ]
    kept = thin_series(told(*history).series(), 100)
    assert 9.0 in kept.train["avg_reward"]
    assert 777 in kept.train["step"]
