"""The training process, for real: the tiny model learns a few rows in a few steps."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from backend.jobs.run.events import parse_event
from backend.settings import CHECKOUT
from backend.training.lora.groups import SEVEN
from tests.engines.running import (
    DEADLINE,
    Finished,
    environment,
    events_of,
    finish,
    prepare_run,
    start,
    train,
    wait_for,
)
from tests.engines.tiny_model import LAYERS

pytestmark = pytest.mark.engine
DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Finished:
    """One complete run that several tests look at."""
    root = tmp_path_factory.mktemp("finished")
    run = prepare_run(root, tiny_model, iterations=10, keep_checkpoints=1, test=True,
                      early_stop=False, steps_per_report=4)  # fmt: skip
    return train(run)


def tensors(path: Path) -> dict[str, list[int]]:
    with safe_open(path, "np") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


def test_a_run_completes_and_learns(finished: Finished) -> None:
    assert finished.code == 0, finished.log
    assert finished.exit["state"] == "completed"
    assert finished.of("best")[-1]["val_loss"] < finished.of("validation")[0]["val_loss"]
    assert [event["seq"] for event in finished.events] == list(range(1, len(finished.events) + 1))
    assert all(parse_event(event) is not None for event in finished.events)


def test_what_the_start_was_warned_of_comes_before_all_else(
    tmp_path: Path, tiny_model: Path
) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=1)
    handed = [
        {
            "code": "unmatched_seed_key",
            "level": "info",
            "message": "linear_attn.dt_bias is not sent.",
        }
    ]
    (run / "warnings.json").write_text(json.dumps(handed))

    told = train(run).events

    first, second = told[:2]
    assert (first["type"], second["type"]) == ("phase", "warning")
    assert (second["seq"], second["code"]) == (2, "unmatched_seed_key")
    assert (second["level"], second["message"]) == ("info", "linear_attn.dt_bias is not sent.")


def test_its_phases_come_in_order(finished: Finished) -> None:
    validations = len(finished.of("validation"))
    assert validations > 1
    assert [event["name"] for event in finished.of("phase")] == [
        "loading model", "preparing data", "training",
        *["evaluating", "training"] * validations,
        "saving", "evaluating", "done",
    ]  # fmt: skip


def test_a_validation_is_told_while_the_run_is_evaluating(finished: Finished) -> None:
    phase = None
    for event in finished.events:
        phase = event["name"] if event["type"] == "phase" else phase
        if event["type"] in {"validation", "metrics"}:
            assert phase == ("evaluating" if event["type"] == "validation" else "training")


def test_the_tensors_are_seven_matrices_times_layers_times_two(finished: Finished) -> None:
    expected = {
        f"model.layers.{layer}.{key}.lora_{side}"
        for layer in range(LAYERS)
        for key in SEVEN
        for side in "ab"
    }

    for name in ("adapters.safetensors", "best_adapters.safetensors"):
        assert set(tensors(finished.adapter / name)) == expected


def test_what_is_said_is_what_is_trained(finished: Finished) -> None:
    (told,) = finished.of("model")
    sizes = [a * b for a, b in tensors(finished.adapter / "adapters.safetensors").values()]

    assert told["trainable_parameters"] == sum(sizes)
    assert told["matched_modules"] == 7 * LAYERS
    assert told["matrices"] == list(SEVEN)
    assert "rank      4" in finished.log and "Trainable parameters:" in finished.log


def test_the_log_says_which_positions_go_through_the_output_head(finished: Finished) -> None:
    assert "Loss: only learned positions go through the output head" in finished.log


def test_reports_have_step_rate_and_epoch(finished: Finished) -> None:
    reports = finished.of("metrics")

    assert [event["step"] for event in reports] == [4, 8, 10]
    assert reports[0]["learning_rate"] == 0.01
    assert reports[0]["epoch"] == pytest.approx(4 / 6)


def test_the_best_adapter_is_the_one_that_was_validated(finished: Finished) -> None:
    validations = {event["step"]: event["val_loss"] for event in finished.of("validation")}
    best = finished.of("best")[-1]

    assert set(validations) == {0, 3, 7, 9}
    assert best["val_loss"] == min(loss for step, loss in validations.items() if step > 0)
    with safe_open(finished.adapter / "best_adapters.safetensors", "np") as file:
        assert file.metadata()["step"] == str(best["step"])


def test_old_checkpoints_are_pruned_and_nothing_else_is_left(finished: Finished) -> None:
    assert [event["step"] for event in finished.of("checkpoint")] == [4, 8]
    assert finished.files() == {
        "0000008_adapters.safetensors", "adapters.safetensors", "best_adapters.safetensors",
        "adapter_config.json", "droid.json",
    }  # fmt: skip


def test_the_test_set_is_measured_at_the_end(finished: Finished) -> None:
    assert finished.of("test")[0]["test_loss"] > 0
    assert "Test loss" in finished.exit["message"]


def test_the_adapter_says_where_it_comes_from(finished: Finished) -> None:
    config = json.loads((finished.adapter / "adapter_config.json").read_text())
    lineage = json.loads((finished.adapter / "droid.json").read_text())

    assert Path(config["model"]).is_absolute()
    assert (config["fine_tune_type"], config["num_layers"]) == ("lora", -1)
    assert config["lora_parameters"] == {
        "rank": 4, "scale": 4.0, "dropout": 0.0, "keys": list(SEVEN),
    }  # fmt: skip
    assert lineage["base_model"]["fingerprint"] == "f" * 64
    assert lineage["versions"]["mlx-lm"]


def test_the_adapter_loads_in_plain_mlx_lm(finished: Finished, tiny_model: Path) -> None:
    code = (
        "import sys, mlx_lm\n"
        "model, tokenizer = mlx_lm.load(sys.argv[1], adapter_path=sys.argv[2])\n"
        "print(repr(mlx_lm.generate(model, tokenizer, 'Hi', max_tokens=3)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_model), str(finished.adapter)],
        env=environment(), capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_plain_mlx_lm_takes_the_same_configuration(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=2, lr_schedule="cosine", warmup_steps=1)

    done = subprocess.run(
        [sys.executable, "-m", "mlx_lm", "lora", "--config", str(run / "config.yaml")],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, timeout=DEADLINE,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(tensors(tmp_path / "adapter" / "adapters.safetensors")) == 7 * LAYERS * 2


def test_a_stop_saves_the_weights_it_had(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=100_000, save_every=100_000)
    process = start(run)
    wait_for(run, process, "metrics", step=2)

    process.send_signal(signal.SIGTERM)
    ended = finish(run, process)

    assert (ended.code, ended.exit["state"]) == (0, "stopped")
    assert len(tensors(ended.adapter / "adapters.safetensors")) == 7 * LAYERS * 2
    assert "is kept" in ended.exit["message"]


def test_a_stop_without_saving_saves_nothing(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=100_000, save_every=100_000,
                      steps_per_eval=100_000)  # fmt: skip
    process = start(run)
    wait_for(run, process, "metrics", step=2)

    process.send_signal(signal.SIGINT)
    ended = finish(run, process)

    assert ended.exit["state"] == "stopped"
    assert ended.files() == {"adapter_config.json", "droid.json"}
    assert "no adapter was saved" in ended.exit["message"]


def test_a_paused_run_goes_on_without_losing_a_step(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=40, early_stop=False)
    process = start(run)
    wait_for(run, process, "metrics", step=1)

    process.send_signal(signal.SIGUSR1)
    wait_for(run, process, "phase", name="paused")
    before = len(events_of(run))
    process.send_signal(signal.SIGUSR2)
    ended = finish(run, process)

    assert ended.exit["state"] == "completed"
    assert ended.events[before]["name"] == "training"
    assert [event["step"] for event in ended.of("metrics")] == list(range(1, 41))


def test_a_run_that_stops_improving_ends_early(tmp_path: Path, tiny_model: Path) -> None:
    # Nothing can improve by a thousand nats.
    run = prepare_run(tmp_path, tiny_model, iterations=500, steps_per_eval=2, patience=2,
                      min_delta=1000.0)  # fmt: skip

    ended = train(run)

    (early,) = ended.of("early_stop")
    assert ended.exit["state"] == "completed"
    assert early["step"] == 5
    assert "Stopped early at iteration 6 of 500" in ended.exit["message"]
    assert "adapters.safetensors" in ended.files()


def test_a_run_that_diverges_stops_and_keeps_the_last_good_weights(
    tmp_path: Path, tiny_model: Path
) -> None:
    # SGD at a rate that is fine until the schedule's warm-up lets it explode.
    run = prepare_run(tmp_path, tiny_model, iterations=200, save_every=1, steps_per_eval=1000,
                      config={"optimizer": "sgd", "optimizer_config": {"sgd": {}},
                              "lr_schedule": {"name": "exponential_decay",
                                              "arguments": [1e-3, 100.0]}})  # fmt: skip

    ended = train(run)

    assert (ended.code, ended.exit["state"]) == (1, "error")
    assert "diverged" in ended.exit["message"]
    assert "learning rate" in ended.exit["hint"]
    assert ended.of("warning")[-1]["code"] == "diverged"
    with safe_open(ended.adapter / "adapters.safetensors", "np") as file:
        for name in file.keys():  # noqa: SIM118
            assert np.isfinite(file.get_tensor(name)).all()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps_per_report": 5, "steps_per_eval": 5}, "far above the untrained model's"),
        ({"steps_per_report": 5, "steps_per_eval": 1000}, "that of guessing for 3 reports"),
    ],
    ids=["by validations", "by reports"],
)
def test_a_run_that_ruins_the_model_in_finite_numbers_stops(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    # The demo model knows something, and this comes to rest at ln(1280) = 7.15.
    run = prepare_run(tmp_path, DEMO, iterations=200, learning_rate=0.9, lora_rank=32,
                      lora_alpha=32.0, early_stop=False, save_every=1000, **fields)  # fmt: skip

    ended = train(run)

    assert (ended.code, ended.exit["state"]) == (1, "error"), ended.exit
    assert said in ended.exit["message"]
    assert "best" not in ended.exit["message"]
    assert ended.of("warning")[-1]["code"] == "diverged"
    assert not ended.of("best")
    assert "best_adapters.safetensors" not in ended.files()


def test_what_is_worse_than_the_base_is_never_called_best(tmp_path: Path) -> None:
    run = prepare_run(tmp_path, DEMO, iterations=4, learning_rate=0.05, lora_rank=32,
                      lora_alpha=32.0, steps_per_report=1000, steps_per_eval=4)  # fmt: skip

    ended = train(run)

    base, tuned = (event["val_loss"] for event in ended.of("validation"))
    assert tuned > base
    assert ended.exit["state"] == "completed"
    assert f"No validation came below the untrained model's {base:.3f}" in ended.exit["message"]
    assert [event["code"] for event in ended.of("warning")] == ["no_better_than_base"]
    assert not ended.of("best")


def test_the_same_seed_gives_the_same_losses(tmp_path: Path, tiny_model: Path) -> None:
    fields: dict[str, Any] = {"iterations": 8, "lora_dropout": 0.2, "early_stop": False}
    first = train(prepare_run(tmp_path / "1", tiny_model, **fields))
    second = train(prepare_run(tmp_path / "2", tiny_model, **fields))

    assert first.losses == second.losses
    assert len(set(first.losses)) == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"fine_tune_type": "dora"},
        {"fine_tune_type": "full", "learning_rate": 1e-3},
        {"optimizer": "muon"},
        {"optimizer": "sgd"},
        {"optimizer": "adafactor"},
        {"optimizer": "adam", "grad_accumulation_steps": 2, "grad_checkpoint": True},
        {"lora_num_layers": 1, "mask_prompt": True, "lr_schedule": "linear"},
    ],
    ids=str,
)
def test_each_way_of_training_completes(
    tmp_path: Path, tiny_model: Path, fields: dict[str, Any]
) -> None:
    ended = train(prepare_run(tmp_path, tiny_model, **{"iterations": 4, **fields}))

    assert ended.exit["state"] == "completed", ended.log
    assert "adapters.safetensors" in ended.files()


def test_rows_without_anything_to_learn_are_left_out_and_said_so(
    tmp_path: Path, tiny_model: Path
) -> None:
    long = {"messages": [{"role": "user", "content": "x" * 500},
                         {"role": "assistant", "content": "y"}]}  # fmt: skip
    short = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}

    ended = train(
        prepare_run(
            tmp_path,
            tiny_model,
            rows=[long, long, short, short],
            valid=[short] * 2,
            iterations=3,
            mask_prompt=True,
        )
    )

    assert ended.exit["state"] == "completed", ended.log
    assert all(loss is not None for loss in ended.losses)
    assert "2 of 4 rows" in ended.of("warning")[0]["message"]


def test_a_model_that_is_gone_is_said_in_the_last_event(tmp_path: Path) -> None:
    ended = train(prepare_run(tmp_path, tmp_path / "gone", iterations=3))

    assert (ended.code, ended.exit["type"], ended.exit["state"]) == (1, "exit", "error")
    assert ended.exit["message"]
    assert not ended.adapter.exists()


def test_a_run_without_validation_keeps_its_last_step(tmp_path: Path, tiny_model: Path) -> None:
    run = prepare_run(tmp_path, tiny_model, iterations=4, val_split=0.0)
    (run / "data" / "valid.jsonl").unlink()

    done = train(run)

    assert done.exit["state"] == "completed", done.log
    assert not done.of("validation") and not done.of("best")
    assert "adapters.safetensors" in done.files()
