"""What is tried: three ways to learn from rewards and two to learn from pairs, over three seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scripts.setup.stamps import CHECKOUT

SEEDS = (0, 1, 2)
_DEMO = CHECKOUT / "test_data" / "demo"

Kind = Literal["reward", "pairs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Data, what judges it, and what the runs of its methods have in common."""

    kind: Kind
    data: Path
    metric: str
    rewards: tuple[str, ...]
    fields: dict[str, Any]


SUMS = Task(
    kind="reward",
    data=_DEMO / "grpo",
    metric="val_reward",
    rewards=("r1_soft_format_reward_func", "number_match"),
    fields={
        "iterations": 12, "batch_size": 16, "group_size": 4, "max_completion_length": 40,
        "max_seq_length": 128, "temperature": 1.0, "top_p": 1.0, "top_k": 0, "beta": 0.0,
        "lora_keys": "full", "lora_rank": 16, "lora_alpha": 32.0,
        "lora_scaling": "alpha_over_rank", "optimizer": "adamw", "weight_decay": 0.0,
        "lr_schedule": "constant", "warmup_steps": 0, "learning_rate": 3e-4,
        "steps_per_report": 3, "steps_per_eval": 6, "save_every": 1000, "grad_checkpoint": False,
        "success_function": "number_match",
    },
)  # fmt: skip
STYLE = Task(
    kind="pairs",
    data=_DEMO / "preference",
    metric="val_accuracy",
    rewards=(),
    fields={
        "iterations": 30, "batch_size": 4, "max_seq_length": 128, "beta": 0.1, "lora_keys": "full",
        "lora_rank": 16, "lora_alpha": 32.0, "lora_scaling": "alpha_over_rank",
        "optimizer": "adamw", "weight_decay": 0.0, "lr_schedule": "constant", "warmup_steps": 0,
        "steps_per_report": 10, "steps_per_eval": 10, "save_every": 1000, "grad_checkpoint": False,
    },
)  # fmt: skip
# GSPO with one update per rollout would be GRPO, to the last bit. Ratios of whole sequences leave 1
# by hundredths. DPO reaches its aim at rates at which ORPO, most of whose loss is plain likelihood,
# has hardly begun.
METHODS: dict[str, tuple[Task, dict[str, float]]] = {
    "grpo": (SUMS, {"updates_per_rollout": 1}),
    "gspo": (SUMS, {"updates_per_rollout": 2, "epsilon": 0.01}),
    "dr_grpo": (SUMS, {"updates_per_rollout": 1}),
    "dpo": (STYLE, {"learning_rate": 5e-5}),
    "orpo": (STYLE, {"learning_rate": 1e-3}),
}


@dataclass(frozen=True, slots=True)
class RlCell:
    """One run."""

    method: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.method}-s{self.seed}"

    @property
    def task(self) -> Task:
        return METHODS[self.method][0]

    @property
    def fields(self) -> dict[str, Any]:
        """Of the start request, beside model and data."""
        task, own = METHODS[self.method]
        return {
            **task.fields,
            **own,
            "training_method": self.method,
            "reward_functions": ", ".join(task.rewards),
            "seed": self.seed,
            "early_stop": False,
            "val_batches": -1,
        }


def cells() -> Iterator[RlCell]:
    """Seed by seed, so that a part of the grid is a whole smaller one."""
    for seed in SEEDS:
        for method in METHODS:
            yield RlCell(method, seed)
