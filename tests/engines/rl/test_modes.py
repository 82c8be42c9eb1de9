"""Every method of the engine, for real: the tiny model takes a few steps with each."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from backend.jobs.run.events import parse_event
from tests.engines.rl.running import QV, next_tokens, prepare_rl, repeatable, train_rl_all
from tests.engines.running import DEADLINE, Finished, environment
from tests.engines.tiny_model import LAYERS

pytestmark = pytest.mark.engine

JUDGED = ("online_dpo", "xpo", "ppo", "rlhf_reinforce")
REWARDED = ("grpo", "gspo", "dr_grpo", "twice", "klpo", *JUDGED)
PAIRS = ("dpo", "orpo", "cpo", "dsla")
NO_REWARDS: dict[str, Any] = {
    "reward_functions": [], "reward_weights": None, "success_function": None,
    "reward_functions_file": None, "reward_functions_sha256": None, "select_by": "val_loss",
}  # fmt: skip
_NOT_IN_ALL = {"loading reference"}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in ("grpo", "klpo", *JUDGED, *PAIRS, "ftpo")},
    "gspo": (
        "grpo",
        {"importance_sampling_level": "sequence", "beta": 0.0, "decode_concurrency": 4},
    ),
    "dr_grpo": ("grpo", {"grpo_loss_type": "dr_grpo", "gradient_accumulation_steps": 2}),
    "twice": (
        "grpo",
        {
            "updates_per_rollout": 2,
            "epsilon_high": 0.3,
            "train_type": "dora",
            "decode_concurrency": 4,
        },
    ),
    "model judges": ("online_dpo", {**NO_REWARDS, "iters": 2}),
    "model scores": ("rlhf_reinforce", {**NO_REWARDS, "iters": 2, "max_completion_length": 4}),
    "dsla orpo": ("dsla", {"dsla_loss": "orpo"}),
    "full": ("dpo", {"train_type": "full", "lora_parameters": None, "learning_rate": 1e-4}),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict[str, Finished]:
    """One run of each."""
    root = tmp_path_factory.mktemp("methods")
    shape = {"keep_checkpoints": 0}
    return train_rl_all(
        {
            name: prepare_rl(root / name.replace(" ", "-"), tiny_model, mode, **shape | fields)
            for name, (mode, fields) in VARIANTS.items()
        }
    )


@pytest.fixture(scope="module")
def again(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, finished: dict[str, Finished]
) -> dict[str, Finished]:
    """In another process: some of them once more, and some going on from their second step."""
    root = tmp_path_factory.mktemp("again")
    runs = {}
    for name in ("grpo", "gspo", "dpo"):
        mode, fields = VARIANTS[name]
        runs[name] = prepare_rl(root / name, tiny_model, mode, keep_checkpoints=0, **fields)
    for name in ("grpo", "dpo", "twice", "klpo", "ppo", "dr_grpo"):
        mode, fields = VARIANTS[name]
        resumed = prepare_rl(
            root / f"{name}-2", tiny_model, mode, resume_checkpoint=2, keep_checkpoints=0, **fields
        )
        source = finished[name].adapter.parent / "run" / "state"
        shutil.copytree(source, resumed / "state")
        runs[f"{name}-2"] = resumed
    return train_rl_all(runs)


def tensors(path: Path) -> dict[str, Any]:
    with safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize("name", VARIANTS)
def test_each_method_completes_with_events_that_are_understood(
    finished: dict[str, Finished], name: str
) -> None:
    run = finished[name]

    assert run.exit["state"] == "completed", run.exit
    assert all(parse_event(event) is not None for event in run.events)
    phases = [event["name"] for event in run.of("phase")]
    assert [phase for phase in dict.fromkeys(phases) if phase not in _NOT_IN_ALL] == [
        "loading model", "preparing data", "training", "evaluating", "saving", "done",
    ]  # fmt: skip
    assert phases[-3:] == ["evaluating", "saving", "done"]
    steps = VARIANTS[name][1].get("iters", 4)
    assert [event["step"] for event in run.of("metrics")] == list(range(1, steps + 1))
    assert [event["step"] for event in run.of("validation")] == list(range(0, steps + 1, 2))
    assert all(math.isfinite(loss) for loss in run.losses)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "full"])
def test_only_the_chosen_matrices_are_trained(finished: dict[str, Finished], name: str) -> None:
    saved = tensors(finished[name].adapter / "adapters.safetensors")

    expected = {
        f"model.layers.{layer}.{key}.lora_{side}"
        for layer in range(LAYERS)
        for key in QV
        for side in "ab"
    }
    assert {tensor for tensor in saved if not tensor.endswith(".m")} == expected
    assert any(value.any() for tensor, value in saved.items() if tensor.endswith("lora_b"))


@pytest.mark.parametrize("name", VARIANTS)
def test_the_best_adapter_is_the_best_validation_and_holds_its_weights(
    finished: dict[str, Finished], name: str
) -> None:
    run = finished[name]
    config = json.loads((run.adapter / "adapter_config.json").read_text())
    metric = config["select_by"]
    values = {event["step"]: event[metric] for event in run.of("validation") if event["step"]}
    best = run.of("best")[-1]

    choose = min if metric == "val_loss" else max
    assert (best["metric"], best["value"]) == (metric, choose(values.values()))
    assert best["value"] == values[best["step"]]
    kept = tensors(run.adapter / "best_adapters.safetensors")
    validated = tensors(run.adapter / f"{best['step']:07d}_adapters.safetensors")
    assert all(np.array_equal(kept[tensor], validated[tensor]) for tensor in validated)


@pytest.mark.parametrize("name", REWARDED)
def test_rewards_are_reported_as_they_were_scored(finished: dict[str, Finished], name: str) -> None:
    run = finished[name]

    for event in run.of("metrics"):
        letters, digits = (event["rewards"][f] for f in ("letters", "r1_int_reward_func"))
        assert event["avg_reward"] == pytest.approx(letters["mean"] + 0.5 * digits["mean"])
        assert event["group_reward"] == pytest.approx(event["avg_reward"])
        assert letters["coverage"] == 1.0
        assert 0 <= event["success_rate"] <= 1
        assert 1 <= event["completion_length_min"] <= event["completion_length_mean"] <= 8
        assert 0 < event["entropy"] <= math.log(259)
    for event in run.of("validation"):
        assert event["val_rewards"].keys() == {"letters", "r1_int_reward_func"}
        assert event["val_reward"] is not None
    samples = run.of("sample")
    assert {event["split"] for event in samples} == {"train", "valid"}
    for event in samples:
        scores = event["rewards"]
        assert event["total"] == pytest.approx(
            scores["letters"] + 0.5 * scores["r1_int_reward_func"]
        )
        assert event["prompt"].endswith("+ 1?")
        assert event["answer"] == str(int(event["prompt"].split()[0]) + 1)


def test_kl_is_unknown_without_a_reference_and_known_with_one(
    finished: dict[str, Finished],
) -> None:
    assert [event["kl"] for event in finished["gspo"].of("metrics")] == [None] * 4
    for name in ("grpo", "twice", "klpo"):
        assert finished[name].of("metrics")[-1]["kl"] is not None


@pytest.mark.parametrize("name", PAIRS)
def test_preferences_report_accuracy_and_margin(finished: dict[str, Finished], name: str) -> None:
    run = finished[name]

    for event in run.of("validation"):
        assert 0 <= event["val_accuracy"] <= 1
        gap = event["val_rewards_chosen"] - event["val_rewards_rejected"]
        assert event["val_margin"] == pytest.approx(gap, abs=1e-5)
    margins = [event["val_margin"] for event in run.of("validation")]
    assert margins[-1] > margins[0]
    assert all(0 <= event["accuracy"] <= 1 for event in run.of("metrics"))


@pytest.mark.parametrize("name", ["dpo", "dsla", "full"])
def test_a_model_that_equals_its_reference_is_right_in_half_of_the_pairs(
    finished: dict[str, Finished], name: str
) -> None:
    assert finished[name].of("validation")[0]["val_accuracy"] == 0.5


def test_rows_whose_words_are_no_single_token_are_left_out_and_counted(
    tmp_path: Path, tiny_model: Path
) -> None:
    good = next_tokens(4)
    long = [{**row, "rejected_decoded": "zz"} for row in good[:2]]
    some = prepare_rl(tmp_path / "some", tiny_model, "ftpo", rows=[*good, *long], iters=2)
    none = prepare_rl(tmp_path / "none", tiny_model, "ftpo", rows=long, iters=2)

    done = train_rl_all({"some": some, "none": none})

    (warning,) = [e for e in done["some"].of("warning") if e["code"] == "not_a_token"]
    assert "2 of 6 rows of the training set are left out" in warning["message"]
    assert done["some"].exit["state"] == "completed"
    assert done["none"].exit["state"] == "error"
    assert "No row of the training set can be used" in done["none"].exit["message"]


@pytest.mark.parametrize("name", ["model judges", "model scores"])
def test_a_judge_that_can_not_be_read_is_said_to_be(
    finished: dict[str, Finished], name: str
) -> None:
    warnings = finished[name].of("warning")

    (warning,) = [event for event in warnings if event["code"] == "judge_unreadable"]
    assert "reward functions as the judge" in warning["hint"]


@pytest.mark.parametrize("name", ["grpo", "gspo", "dpo"])
def test_the_same_seed_gives_the_same_events(
    finished: dict[str, Finished], again: dict[str, Finished], name: str
) -> None:
    assert repeatable(again[name]) == repeatable(finished[name])


@pytest.mark.parametrize("name", ["grpo", "dpo", "twice", "klpo", "ppo", "dr_grpo"])
def test_a_run_that_goes_on_has_the_numbers_of_an_unbroken_one(
    finished: dict[str, Finished], again: dict[str, Finished], name: str
) -> None:
    assert again[f"{name}-2"].exit["state"] == "completed", again[f"{name}-2"].exit
    for kind in ("metrics", "sample", "validation", "best"):
        whole = [e for e in repeatable(finished[name]) if e["type"] == kind and e["step"] > 2]
        went_on = [e for e in repeatable(again[f"{name}-2"]) if e["type"] == kind]
        assert went_on == whole, kind


def test_lora_dora_and_full_adapters_load_in_plain_mlx_lm(
    finished: dict[str, Finished], tiny_model: Path
) -> None:
    code = (
        "import sys, mlx_lm\n"
        "for adapter in sys.argv[2:]:\n"
        "    model, tokenizer = mlx_lm.load(sys.argv[1], adapter_path=adapter)\n"
        "    print(repr(mlx_lm.generate(model, tokenizer, 'Hi', max_tokens=3)))\n"
    )
    adapters = [str(finished[name].adapter) for name in ("grpo", "twice", "full")]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_model), *adapters],
        env=environment(), capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_the_adapter_says_how_it_was_made(finished: dict[str, Finished], tiny_model: Path) -> None:
    folder = finished["twice"].adapter
    config = json.loads((folder / "adapter_config.json").read_text())
    lineage = json.loads((folder / "droid.json").read_text())

    assert (config["model"], config["fine_tune_type"]) == (str(tiny_model), "dora")
    assert config["num_layers"] == -1
    assert config["lora_parameters"] == {
        "rank": 4, "scale": 4.0, "dropout": 0.0, "keys": list(QV),
    }  # fmt: skip
    assert lineage["method"] == "grpo"
    assert lineage["versions"]["mlx-lm-lora"]
