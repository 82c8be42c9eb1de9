"""Run the real process of the RL methods on the tiny model, and read what it left behind."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.settings import CHECKOUT
from tests.engines.running import DEADLINE, Finished, environment, events_of, finish
from tests.training.requests import write_rows

REWARDS = """
def letters(prompts, completions, answer, types=None):
    return [sum(c.isascii() and c.isalpha() for c in text) / 8 for text in completions]
letters.maximum = 1.0
"""
QV = ("self_attn.q_proj", "self_attn.v_proj")

Rows = Sequence[Mapping[str, Any]]


def questions(count: int) -> Rows:
    return [
        {"prompt": f"{number} + 1?", "answer": str(number + 1), "system": "Count."}
        for number in range(count)
    ]


def preferences(count: int) -> Rows:
    return [
        {"prompt": f"Is {number} odd?", "chosen": "aaaa", "rejected": "zz"}
        for number in range(count)
    ]


def next_tokens(count: int) -> Rows:
    return [
        {
            "context_with_chat_template": f"Count {number}",
            "rejected_decoded": "z",
            "multi_chosen_decoded": ["a", "b"],
        }
        for number in range(count)
    ]


ROWS = {
    **dict.fromkeys(("dpo", "orpo", "cpo", "dsla"), preferences),
    "ftpo": next_tokens,
}


def prepare_rl(
    root: Path, model: Path, mode: str, *, rows: Any = 8, valid: Any = 4, **config: Any
) -> Path:
    """A run folder as the server would fill it: everything explicit, small and quick."""
    run = root / "run"
    rewards = write_text(root / "rewards.py", REWARDS)
    make = ROWS.get(mode, questions)
    for name, given in (("train", rows), ("valid", valid), ("test", valid)):
        write_rows(run / "data" / f"{name}.jsonl", make(given) if isinstance(given, int) else given)
    own = {
        "model": str(model), "train": True, "data": str(run / "data"), "train_mode": mode,
        "method": mode, "train_type": "lora", "optimizer": "adam", "optimizer_config": {"adam": {}},
        "seed": 3, "num_layers": -1, "batch_size": 2, "iters": 4, "epochs": None,
        "learning_rate": 1e-2, "steps_per_report": 1, "steps_per_eval": 2, "save_every": 2,
        "val_batches": -1, "adapter_path": str(root / "adapter"), "max_seq_length": 128,
        "max_completion_length": 8, "group_size": 2, "temperature": 1.0, "top_p": 1.0, "top_k": 0,
        "min_p": 0.0, "beta": 0.1, "epsilon": 0.2, "epsilon_high": None, "fuse": False,
        "klpo_mc_samples": 4, "klpo_top_k": 4, "alpha": 1e-5,
        "lambda_mse_target": 0.05, "tau_mse_target": 1.0, "lambda_mse": 0.4,
        "clip_epsilon_logits": 2.0,
        "lora_parameters": {"rank": 4, "scale": 4.0, "dropout": 0.0, "keys": list(QV)},
        "lora_alpha": 4.0, "reward_functions": ["letters", "r1_int_reward_func"],
        "reward_weights": [1.0, 0.5], "success_function": "letters",
        "reward_functions_file": str(rewards),
        "reward_functions_sha256": hashlib.sha256(rewards.read_bytes()).hexdigest(),
        "sample_completions": 2, "updates_per_rollout": 1, "select_by": "val_reward",
        "enable_early_stop": False, "no_improve_patience_evals": 2, "early_stop_min_delta": 0.0,
        "keep_checkpoints": 1, "session_id": "00000000-0000-4000-8000-000000000000",
        "model_fingerprint": "f" * 64, "adapter_name": "tiny",
    }  # fmt: skip
    if make is not questions:
        own |= {"reward_functions": None, "reward_weights": None, "success_function": None,
                "select_by": "val_accuracy"}  # fmt: skip
    (run / "config.yaml").write_text(json.dumps(own | config))
    return run


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def start_rl(run: Path) -> subprocess.Popen[str]:
    with (run / "train.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "backend.engines.rl", str(run)],
            cwd=CHECKOUT, env=environment(), stdout=log, stderr=log, text=True,
        )  # fmt: skip


def train_rl(run: Path) -> Finished:
    return finish(run, start_rl(run))


def train_rl_all(runs: Mapping[str, Path]) -> dict[str, Finished]:
    """Several runs one after the other in one process, which saves the seconds of its imports."""
    code = (
        "import sys; from backend.engines.rl.__main__ import main; "
        "[main([run]) for run in sys.argv[1:]]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, runs.values())],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, timeout=DEADLINE,
        check=True,
    )  # fmt: skip
    log = done.stdout + done.stderr
    return {
        name: Finished(events_of(run)[-1]["code"], events_of(run), run.parent / "adapter", log)
        for name, run in runs.items()
    }


def repeatable(run: Finished) -> list[dict[str, Any]]:
    """The events without the times and the memory, which differ from run to run."""
    timed = {
        "seq", "at", "iterations_per_second", "tokens_per_second", "peak_memory_gb", "val_time",
        "path",
    }  # fmt: skip
    return [{k: v for k, v in event.items() if k not in timed} for event in run.events]
