"""Two processes train one model over the loopback ring, through MLX's launcher."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import psutil
import pytest

from tests.engines.running import Finished, finish, prepare_run, start, train, wait_for

pytestmark = pytest.mark.engine

TWO: Mapping[str, Any] = {"distributed": {"processes": 2, "hostfile": None, "backend": "ring"}}


def losses(run: Finished) -> dict[str, list[float]]:
    kinds = {"metrics": "train_loss", "validation": "val_loss", "test": "test_loss"}
    return {name: [event[name] for event in run.of(kind)] for kind, name in kinds.items()}


def adapter(run: Finished) -> dict[str, mx.array]:
    return cast("dict[str, mx.array]", mx.load(str(run.adapter / "adapters.safetensors")))


def ranks_of(process: psutil.Process) -> list[psutil.Process]:
    """The ranks of a run, the first one first."""
    found = [each for each in process.children(recursive=True) if "backend.engines.sft.rank" in
             each.cmdline() and "backend.engines.ranks.launcher" not in each.cmdline()]  # fmt: skip
    return sorted(found, key=lambda each: int(each.environ()["MLX_RANK"]))


def test_two_processes_have_the_losses_of_one(tmp_path: Path, tiny_model: Path) -> None:
    # 13 rows in batches of 4: the last step of an epoch has one row, so one rank has none.
    fields: dict[str, Any] = {
        "batch_size": 4, "rows": 13, "valid": 5, "iterations": 6, "test": True,
        "mask_prompt": True, "optimizer": "sgd", "learning_rate": 0.05,
        "grad_accumulation_steps": 2,
    }  # fmt: skip

    one = train(prepare_run(tmp_path / "one", tiny_model, **fields))
    two = train(prepare_run(tmp_path / "two", tiny_model, config=TWO, **fields))

    assert two.exit["state"] == "completed", two.log
    for name, values in losses(one).items():
        assert losses(two)[name] == pytest.approx(values, rel=1e-5), name
    assert two.files() == one.files()
    assert [event["trained_tokens"] for event in two.of("metrics")] == [
        event["trained_tokens"] for event in one.of("metrics")
    ]
    assert [event["seq"] for event in two.events] == list(range(1, len(two.events) + 1))
    weights, expected = adapter(two), adapter(one)
    assert all(mx.allclose(weights[key], expected[key], atol=1e-5) for key in expected)
    kept = {path.name for path in (tmp_path / "two" / "run").iterdir()}
    assert kept == {path.name for path in (tmp_path / "one" / "run").iterdir()}


def test_a_rank_that_is_killed_ends_the_run_with_its_name(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=100_000, config=TWO)
    process = start(run)
    wait_for(run, process, "metrics", step=2)
    family = psutil.Process(process.pid).children(recursive=True)

    ranks_of(psutil.Process(process.pid))[1].kill()
    ended = finish(run, process)

    assert (ended.code, ended.exit["state"]) == (1, "error")
    assert "Rank 1 was killed (SIGKILL)" in ended.exit["message"]
    assert not psutil.wait_procs(family, timeout=0)[1]


def test_no_rank_outlives_the_runs_own_process(tmp_path: Path, tiny_model: Path) -> None:
    """Even where no server is there to end them, and they say nothing for long."""
    quiet = {"steps_per_report": 100_000, "steps_per_eval": 100_000, "save_every": 100_000}
    run = prepare_run(tmp_path, tiny_model, iterations=100_000, config=TWO, **quiet)
    process = start(run)
    wait_for(run, process, "validation")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(ranks_of(psutil.Process(process.pid))) == 2

    process.kill()
    process.wait()

    left = psutil.wait_procs(family, timeout=20)[1]
    for each in left:
        each.kill()
    assert not left


def test_a_pause_and_a_stop_reach_every_rank(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=100_000, save_every=100_000, config=TWO)
    process = start(run)
    wait_for(run, process, "metrics", step=2)
    family = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGUSR1)
    wait_for(run, process, "phase", name="paused")
    process.send_signal(signal.SIGTERM)
    ended = finish(run, process)

    assert (ended.code, ended.exit["state"]) == (0, "stopped"), ended.log
    step = int(re.findall(r"iteration (\d+) of", ended.exit["message"])[0])
    assert step >= 2 and ended.exit["saved"]
    assert (ended.adapter / "adapters.safetensors").exists()
    assert not psutil.wait_procs(family, timeout=0)[1]


def test_every_rank_sees_that_training_diverged(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(
        tmp_path, tiny_model, iterations=50, optimizer="sgd", learning_rate=1e30, config=TWO
    )

    ended = train(run)

    assert ended.exit["state"] == "error"
    assert "diverged" in ended.exit["message"]
