"""The process of a reinforcement run: signals, guards, and data or rewards that can't be used."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from tests.engines.rl.running import Rows, prepare_rl, questions, start_rl, train_rl_all, write_text
from tests.engines.running import DEADLINE, Finished, events_of, finish
from tests.engines.tiny_model import build_tiny_model

pytestmark = pytest.mark.engine

FOREVER = {"iters": 100_000, "save_every": 100_000, "steps_per_eval": 100_000}
# SGD at a rate that is fine until the schedule lets it explode.
EXPLODING: dict[str, Any] = {
    "optimizer": "sgd", "optimizer_config": {"sgd": {}}, "iters": 200, "save_every": 1,
    "steps_per_eval": 1000,
    "lr_schedule": {"name": "exponential_decay", "arguments": [1e-3, 100.0]},
}  # fmt: skip
SAME = "def same(prompts, completions, answer, types=None):\n    return [1.0] * len(completions)\n"
FAILS = "def fails(prompts, completions, answer, types=None):\n    return 1 / 0\n"


def with_reward(root: Path, text: str, name: str) -> dict[str, Any]:
    file = write_text(root / f"{name}.py", text)
    return {
        "reward_functions_file": str(file),
        "reward_functions_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "reward_functions": [name],
        "reward_weights": None,
        "success_function": None,
    }


def refusing_system(folder: Path) -> Path:
    """A model whose template knows no system role, as Gemma's."""
    path = build_tiny_model(folder) / "tokenizer_config.json"
    config = json.loads(path.read_text())
    refusal = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No') }}{% endif %}"
    path.write_text(json.dumps(config | {"chat_template": refusal + config["chat_template"]}))
    return folder


def long_and(rows: Rows) -> Rows:
    return [{"prompt": "x" * 300, "answer": "1"}, *rows]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict[str, Finished]:
    root = tmp_path_factory.mktemp("rl")
    without_system = refusing_system(root / "model")

    def run(name: str, mode: str = "grpo", **fields: Any) -> tuple[str, Path]:
        return name, prepare_rl(root / name, tiny_model, mode, **{"iters": 2, **fields})

    return train_rl_all(
        dict(
            [
                run(
                    "early",
                    iters=50,
                    steps_per_eval=1,
                    enable_early_stop=True,
                    early_stop_min_delta=1000.0,
                ),
                run("one too long", rows=long_and(questions(4))),
                run("all too long", rows=[{"prompt": "x" * 300, "answer": "1"}] * 2),
                run("no answer", rows=[{"prompt": "x"}] * 2),
                run("empty", rows=[]),
                run("asked", sample_prompts=["Why?"], sample_max_tokens=4, val_batches=0),
                run("asked pairs", "dpo", iters=1, sample_prompts=["Why?"], sample_max_tokens=4),
                run("same", **with_reward(root, SAME, "same")),
                run("fails", **with_reward(root / "fails", FAILS, "fails")),
                run("unknown", reward_functions=["lettres"], reward_weights=None),
                run("no such success", success_function="nope"),
                run("changed", reward_functions_sha256="0" * 64),
                run("not finite", "dpo", **EXPLODING),
                run("not finite either", **EXPLODING),
                run("no such mode", "telepathy"),
                run("tested", test=True, val_batches=0),
                ("no system", prepare_rl(root / "no-system", without_system, "grpo", iters=1)),
            ]
        )
    )


def codes(run: Finished) -> list[str]:
    return [event["code"] for event in run.of("warning")]


def test_a_run_that_stops_improving_ends_early(runs: dict[str, Finished]) -> None:
    run = runs["early"]

    (early,) = run.of("early_stop")
    assert early["step"] == 3
    assert run.exit["message"].startswith("Stopped early at iteration 3 of 50")
    assert "adapters.safetensors" in run.files()


@pytest.mark.parametrize("name", ["asked", "asked pairs"])
def test_sample_prompts_are_answered_whatever_the_method(
    runs: dict[str, Finished], name: str
) -> None:
    answers = [event for event in runs[name].of("sample") if event["split"] == "prompt"]

    assert [event["step"] for event in answers] == {"asked": [0, 2], "asked pairs": [0, 1]}[name]
    assert {event["prompt"] for event in answers} == {"Why?"}
    assert "no_sample_answers" not in codes(runs[name])


def test_the_test_set_is_measured_at_the_end(runs: dict[str, Finished]) -> None:
    (tested,) = runs["tested"].of("test")

    assert 0 <= tested["test_reward"] <= 1
    assert tested["test_perplexity"] is None
    assert f"Test reward {tested['test_reward']:.3f}." in runs["tested"].exit["message"]
    assert not runs["tested"].of("validation")


def test_prompts_over_the_limit_are_left_out_and_counted(runs: dict[str, Finished]) -> None:
    run = runs["one too long"]

    (warning,) = [event for event in run.of("warning") if event["code"] == "prompt_too_long"]
    assert warning["message"].startswith("1 of 5 rows of the training set are left out")
    assert {event["prompt"] for event in run.of("sample")} <= {f"{n} + 1?" for n in range(4)}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("all too long", "Every prompt of the training set is 128 tokens long or longer"),
        ("no answer", "A row of train.jsonl has no 'answer' field, which grpo needs."),
        ("empty", "The training set is empty."),
        ("unknown", "There is no reward function lettres; did you mean letters"),
        ("no such success", "The success function nope is not one of the reward functions"),
        ("changed", "changed"),
        ("no such mode", "There is no training mode telepathy"),
    ],
)
def test_what_can_not_be_trained_ends_before_it_begins(
    runs: dict[str, Finished], name: str, said: str
) -> None:
    run = runs[name]

    assert (run.code, run.exit["state"]) == (1, "error")
    assert said in run.exit["message"]
    assert run.exit["hint"] or name == "no such mode"
    assert not run.of("metrics")


def test_a_reward_that_fails_ends_the_run_with_its_name(runs: dict[str, Finished]) -> None:
    run = runs["fails"]

    assert run.exit["state"] == "error"
    assert "The reward function fails raised ZeroDivisionError" in run.exit["message"]


def test_a_template_without_a_system_role_is_worked_around(runs: dict[str, Finished]) -> None:
    run = runs["no system"]

    assert run.exit["state"] == "completed", run.exit
    assert codes(run)[0] == "no_system_role"


def test_equal_rewards_teach_nothing(runs: dict[str, Finished]) -> None:
    run = runs["same"]

    assert {event["group_reward_std"] for event in run.of("metrics")} == {0.0}
    assert "no_better_than_base" in codes(run)


@pytest.mark.parametrize("name", ["not finite", "not finite either"])
def test_a_run_that_diverges_keeps_the_last_good_weights(
    runs: dict[str, Finished], name: str
) -> None:
    run = runs[name]

    assert (run.code, run.exit["state"]) == (1, "error"), run.exit
    assert "Training diverged at iteration" in run.exit["message"]
    assert codes(run)[-1] == "diverged"
    kept = [name for name in run.files() if name.endswith(".safetensors")]
    for name in kept:
        with safe_open(run.adapter / name, "np") as file:
            for tensor in file.keys():  # noqa: SIM118
                assert np.isfinite(file.get_tensor(tensor)).all()


def wait_for(run: Path, process: subprocess.Popen[str], kind: str, **fields: Any) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        for event in events_of(run):
            if event["type"] == kind and fields.items() <= event.items():
                return
        time.sleep(0.02)
    raise AssertionError(f"no {kind} {fields}: {(run / 'train.log').read_text()[-2000:]}")


def test_a_stop_saves_the_weights_it_had(tmp_path: Path, tiny_model: Path) -> None:
    # Long completions: the stop most likely comes in the middle of one.
    shape = FOREVER | {"val_batches": 0, "max_completion_length": 32}
    run = prepare_rl(tmp_path, tiny_model, "grpo", **shape)
    process = start_rl(run)
    wait_for(run, process, "metrics", step=2)

    process.send_signal(signal.SIGTERM)
    ended = finish(run, process)

    assert (ended.code, ended.exit["state"]) == (0, "stopped")
    assert "is kept" in ended.exit["message"]
    assert ended.files() == {"adapter_config.json", "droid.json", "adapters.safetensors"}
    done = ended.of("metrics")[-1]["step"]
    with safe_open(ended.adapter / "adapters.safetensors", "np") as file:
        assert file.metadata()["step"] == str(done)


def test_a_stop_without_saving_saves_nothing(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_rl(tmp_path, tiny_model, "orpo", **FOREVER)
    process = start_rl(run)
    wait_for(run, process, "metrics", step=2)

    process.send_signal(signal.SIGINT)
    ended = finish(run, process)

    assert ended.exit["state"] == "stopped"
    assert ended.files() == {"adapter_config.json", "droid.json"}
    assert "no adapter was saved" in ended.exit["message"]


def test_a_paused_run_goes_on_without_losing_a_step(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_rl(tmp_path, tiny_model, "grpo", iters=12, steps_per_eval=6, save_every=6)
    process = start_rl(run)
    wait_for(run, process, "metrics", step=1)

    process.send_signal(signal.SIGUSR1)
    wait_for(run, process, "phase", name="paused")
    before = len(events_of(run))
    process.send_signal(signal.SIGUSR2)
    ended = finish(run, process)

    assert ended.exit["state"] == "completed"
    assert ended.events[before]["name"] == "training"
    assert [event["step"] for event in ended.of("metrics")] == list(range(1, 13))
