"""A stopped run that goes on trains as one that was never stopped: the same numbers."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engines.running import Finished, events_of, prepare_run, start, train, wait_for
from tests.engines.sft.test_sft import tensors

pytestmark = pytest.mark.engine

STEPS = 50
SHAPE: dict[str, Any] = {
    "iterations": STEPS, "lora_dropout": 0.1, "lr_schedule": "cosine", "warmup_steps": 5,
    "learning_rate": 5e-3, "early_stop": False, "save_every": 10, "steps_per_eval": 8,
    "keep_checkpoints": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Finished:
    return train(prepare_run(tmp_path_factory.mktemp("unbroken"), tiny_model, **SHAPE))


def prepare_resume(
    root: Path, model: Path, source: Path, checkpoint: int, fields: Mapping[str, Any]
) -> Path:
    """A run folder as the server fills it to continue `source` from a checkpoint."""
    run = prepare_run(root, model, config={"resume_checkpoint": checkpoint}, **fields)
    shutil.copytree(source / "state", run / "state")
    return run


def losses_by_step(run: Finished, kind: str, name: str) -> dict[int, float]:
    return {event["step"]: event[name] for event in run.of(kind)}


def test_a_stopped_run_goes_on_with_the_same_losses(
    tmp_path: Path, tiny_model: Path, unbroken: Finished
) -> None:
    first = prepare_run(tmp_path / "first", tiny_model, **SHAPE)
    process = start(first)
    wait_for(first, process, "metrics", step=13)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    (at,) = [json.loads(p.read_text()) for p in newest_states(first)]
    assert 13 <= at["step"] < STEPS

    second = train(prepare_resume(tmp_path / "second", tiny_model, first, at["checkpoint"], SHAPE))

    assert second.exit["state"] == "completed", second.log
    for kind, name in (
        ("metrics", "train_loss"), ("metrics", "learning_rate"), ("metrics", "trained_tokens"),
        ("validation", "val_loss"),
    ):  # fmt: skip
        whole = losses_by_step(unbroken, kind, name)
        went_on = losses_by_step(second, kind, name)
        expected = {step: value for step, value in whole.items() if step >= min(went_on)}
        assert went_on == pytest.approx(expected, abs=1e-6), (kind, name)
    assert [event["step"] for event in second.of("metrics")] == list(range(at["step"] + 1, 51))


def newest_states(run: Path) -> list[Path]:
    return sorted((run / "state").glob("*.json"))[-1:]


def test_any_kept_checkpoint_can_be_continued(
    tmp_path: Path, tiny_model: Path, unbroken: Finished
) -> None:
    source = unbroken.adapter.parent / "run"

    run = train(prepare_resume(tmp_path, tiny_model, source, 20, SHAPE))

    expected = {
        s: v for s, v in losses_by_step(unbroken, "metrics", "train_loss").items() if s > 20
    }
    assert losses_by_step(run, "metrics", "train_loss") == pytest.approx(expected, abs=1e-6)
    assert [event["step"] for event in run.of("checkpoint")] == [30, 40, 50]


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    tmp_path: Path, tiny_model: Path, unbroken: Finished
) -> None:
    first = prepare_run(tmp_path / "first", tiny_model, **SHAPE | {"keep_checkpoints": 1})
    process = start(first)
    wait_for(first, process, "metrics", step=24)
    process.kill()
    process.wait()
    (newest,) = newest_states(first)
    checkpoint = json.loads(newest.read_text())["checkpoint"]
    assert checkpoint >= 20

    run = train(prepare_resume(tmp_path / "second", tiny_model, first, checkpoint, SHAPE))

    assert run.exit["state"] == "completed", run.log
    assert run.losses[-1] == pytest.approx(unbroken.losses[-1], abs=1e-6)


def test_a_run_that_is_killed_before_its_first_checkpoint_goes_on_from_its_best(
    tmp_path: Path, tiny_model: Path, unbroken: Finished
) -> None:
    first = prepare_run(tmp_path / "first", tiny_model, **SHAPE | {"save_every": 1000})
    process = start(first)
    wait_for(first, process, "best")
    best = next(event["step"] for event in events_of(first) if event["type"] == "best")
    wait_for(first, process, "metrics", step=best + 2)
    process.kill()
    process.wait()
    (newest,) = newest_states(first)
    state = json.loads(newest.read_text())
    assert state["checkpoint"] == state["step"] == state["best"][0] >= best

    run = train(prepare_resume(tmp_path / "second", tiny_model, first, state["checkpoint"], SHAPE))

    expected = losses_by_step(unbroken, "validation", "val_loss")
    went_on = losses_by_step(run, "validation", "val_loss")
    assert min(went_on) > state["step"], "it was validated before it was saved"
    assert went_on == pytest.approx({step: expected[step] for step in went_on}, abs=1e-6)
    assert run.losses[-1] == pytest.approx(unbroken.losses[-1], abs=1e-6)


def test_a_stop_within_an_accumulation_loses_nothing(tmp_path: Path, tiny_model: Path) -> None:
    shape = SHAPE | {"grad_accumulation_steps": 4, "iterations": 24, "save_every": 6}
    whole = train(prepare_run(tmp_path / "whole", tiny_model, **shape))
    state = json.loads((tmp_path / "whole/run/state/0000018.json").read_text())
    assert (state["checkpoint"], state["step"]) == (18, 16)

    run = train(prepare_resume(tmp_path / "on", tiny_model, tmp_path / "whole/run", 18, shape))

    assert [event["step"] for event in run.of("metrics")] == list(range(17, 25))
    assert run.losses == pytest.approx(whole.losses[16:], abs=1e-6)
    assert run.of("metrics")[-1]["trained_tokens"] == whole.of("metrics")[-1]["trained_tokens"]


def test_a_continued_run_keeps_the_rhythm_and_the_best(tmp_path: Path, tiny_model: Path) -> None:
    shape = SHAPE | {"iterations": 20, "steps_per_report": 4, "steps_per_eval": 6, "save_every": 7}
    whole = train(prepare_run(tmp_path / "whole", tiny_model, **shape))
    run = train(prepare_resume(tmp_path / "on", tiny_model, tmp_path / "whole/run", 7, shape))

    assert [event["step"] for event in run.of("metrics")] == [8, 12, 16, 20]
    assert [event["step"] for event in run.of("validation")] == [12, 18, 20]
    assert [event["step"] for event in run.of("checkpoint")] == [14]
    assert run.of("best")[-1]["val_loss"] == pytest.approx(
        whole.of("best")[-1]["val_loss"], abs=1e-6
    )
    assert "0000007_adapters.safetensors" in run.files()
    assert whole.exit["message"] == run.exit["message"]


def test_states_are_kept_with_their_checkpoints(tmp_path: Path, tiny_model: Path) -> None:
    shape = SHAPE | {"iterations": 10, "save_every": 3, "keep_checkpoints": 1}
    run = train(prepare_run(tmp_path, tiny_model, **shape))

    names = {path.name for path in (tmp_path / "run" / "state").iterdir()}
    best = run.of("best")[-1]["step"]
    stems = {f"{number:07d}{end}" for number in (9, 10)
             for end in (".json", ".weights.safetensors", ".optimizer.safetensors")}  # fmt: skip
    assert names >= stems
    assert names - stems <= {f"best-{event['step']:07d}.safetensors" for event in run.of("best")}
    assert f"best-{best:07d}.safetensors" in names


def test_weights_that_were_changed_are_not_continued(tmp_path: Path, tiny_model: Path) -> None:
    shape = SHAPE | {"iterations": 4, "save_every": 2}
    train(prepare_run(tmp_path / "one", tiny_model, **shape))
    train(prepare_run(tmp_path / "two", tiny_model, **shape | {"seed": 1}))
    run = prepare_resume(tmp_path / "on", tiny_model, tmp_path / "one/run", 2, shape)
    other = tmp_path / "two/run/state/0000002.weights.safetensors"
    shutil.copy(other, run / "state" / other.name)

    ended = train(run)

    assert ended.exit["state"] == "error"
    assert "were changed after they were saved" in ended.exit["message"]
    assert tensors(other)


@pytest.mark.parametrize("optimizer", ["adam", "muon", "sgd", "adafactor"])
def test_every_optimizer_goes_on_as_it_was(
    tmp_path: Path, tiny_model: Path, optimizer: str
) -> None:
    shape = SHAPE | {"iterations": 8, "save_every": 4, "optimizer": optimizer}
    whole = train(prepare_run(tmp_path / "whole", tiny_model, **shape))
    run = train(prepare_resume(tmp_path / "on", tiny_model, tmp_path / "whole/run", 4, shape))

    assert run.losses == pytest.approx(whole.losses[4:], abs=1e-6), run.log
