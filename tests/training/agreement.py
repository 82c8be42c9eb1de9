"""Random valid requests, and a manager that plans them without starting anything.

A seeded generator and not hypothesis: the same sample is trained for real in `tests/engines`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from backend.core.hub import Hub
from backend.jobs.queue import RunQueue
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.store import SessionStore
from backend.jobs.supervisor import RunSupervisor
from backend.models.catalog import ModelCatalog
from backend.models.schemas import LoraTargets, ModelInfo
from backend.settings import Settings
from backend.training.lora.groups import SEVEN
from backend.training.lora.inspector import ModelInspector
from backend.training.manager import TrainingManager
from backend.training.plan.context import PlanContext
from backend.training.plan.effective_scale import CONFIRM
from backend.training.request.sft_fields import StandardStart
from backend.training.rewards.service import Rewards
from tests.models.folders import settings_for
from tests.training.requests import qwen_tree, targets, write_rows

ROWS = 30


@dataclass
class Planning:
    """A data root with one model, whose tree is given, and chat rows."""

    root: Path
    folder: Path
    tree: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.settings: Settings = settings_for(self.root, self.folder.parent)
        self.store = SessionStore(self.settings.sessions_dir, self.settings.adapters_dir)
        self.recipes: list[Recipe] = []
        context = PlanContext(
            self.settings,
            ModelCatalog(self.settings),
            cast(ModelInspector, self),
            self.store,
            working_set=lambda: 8_000_000_000,
        )
        self.manager = TrainingManager(
            context,
            cast(RunSupervisor, self),
            queue=RunQueue(self.settings.sessions_dir, Hub()),
            rewards=Rewards(self.settings),
        )
        for name, rows in (("train", ROWS), ("valid", 12), ("test", 12)):
            write_rows(self.root / "rows" / f"{name}.jsonl", rows)

    active_session = None

    def require_free(self) -> None:
        """As the supervisor: nothing runs here."""

    async def start(self, recipe: Recipe) -> None:
        self.recipes.append(recipe)

    async def targets(self, _model: ModelInfo) -> LoraTargets:
        return targets(self.tree)

    def request(self, number: int, **changes: Any) -> StandardStart:
        """The random request of that number; each has an adapter name of its own."""
        fields = random_fields(random.Random(f"request {number}"), self.root / "rows")
        names = {"model_path": str(self.folder), "adapter_name": f"run-{number}"}
        return StandardStart.model_validate(fields | names | changes)


def tree_of_the_tiny_model() -> dict[str, Any]:
    return qwen_tree(layers=2, hidden=32, inner=48, kv=16)


def random_fields(chance: random.Random, rows: Path) -> dict[str, Any]:
    """Every field of the request, with a value that is allowed."""
    iterations = chance.randint(1, 5000)
    rank, alpha = chance.randint(1, 64), round(chance.uniform(0.1, 64), 3)
    scaling = chance.choice(["mlx", "alpha_over_rank", "rslora"])
    rate = float(f"{10 ** chance.uniform(-6, -3):.3g}")
    scale = {"mlx": alpha, "alpha_over_rank": alpha / rank, "rslora": alpha / math.sqrt(rank)}
    optimizer = chance.choice(["adam", "adamw", "muon", "sgd", "adafactor"])
    options = random_options(chance, optimizer)
    highest = 1e-2 if options.get("relative_step") else rate
    return {
        "train_data_path": str(rows / "train.jsonl"),
        "val_data_path": chance.choice(["", str(rows / "valid.jsonl")]),
        "val_split": round(chance.uniform(0.1, 0.5), 3),
        "learning_rate": rate,
        "batch_size": chance.randint(1, 8),
        "max_seq_length": chance.randint(64, 128),
        "iterations": iterations,
        "steps_per_report": chance.randint(1, 50),
        "steps_per_eval": chance.randint(1, 300),
        "save_every": chance.randint(1, 1000),
        "early_stop": chance.random() < 0.5,
        "patience": chance.randint(1, 9),
        "min_delta": round(chance.uniform(0, 0.1), 4),
        "fine_tune_type": chance.choice(["lora", "lora", "dora", "full"]),
        "lora_rank": rank,
        "lora_alpha": alpha,
        "lora_scaling": scaling,
        "confirm_high_scale": scale[scaling] * highest > CONFIRM,
        "lora_dropout": round(chance.uniform(0, 0.5), 3),
        "lora_num_layers": chance.choice([-1, 0, 1, 2]),
        "lora_keys": chance.choice(
            ["full", "attention", "mlp", "qv", chance.sample(list(SEVEN), chance.randint(1, 7))]
        ),
        "optimizer": optimizer,
        "weight_decay": round(chance.uniform(0, 0.2), 3),
        **options,
        "lr_schedule": chance.choice(["constant", "cosine", "linear"]),
        "warmup_steps": chance.randint(0, min(50, iterations - 1)),
        "grad_accumulation_steps": chance.randint(1, min(8, iterations)),
        "grad_checkpoint": chance.random() < 0.5,
        "mask_prompt": chance.random() < 0.5,
        "seed": chance.randrange(2**32),
        "val_batches": chance.choice([-1, 0, 1, 5]),
        "test": chance.random() < 0.5,
        "keep_checkpoints": chance.randint(0, 6),
        "overwrite": chance.random() < 0.5,
        "notes": chance.choice(["", "über\nzwei Zeilen: ok"]),
        "tags": chance.choice([[], ["a", "b"]]),
        "project_name": chance.choice(["", "mine"]),
    }


def random_options(chance: random.Random, optimizer: str) -> dict[str, Any]:
    """Some of the options that the optimizer has."""
    beta = round(chance.uniform(0.5, 0.999), 4)
    own: dict[str, dict[str, Any]] = {
        "adam": {"beta1": beta, "beta2": 0.99, "epsilon": 1e-7, "bias_correction": True},
        "adamw": {"beta1": beta, "beta2": 0.99, "epsilon": 1e-7, "bias_correction": True},
        "muon": {"momentum": beta, "nesterov": "off", "ns_steps": 4},
        "sgd": {"momentum": beta, "nesterov": "off", "dampening": 0.25},
        "adafactor": {
            "beta1": beta, "clip_threshold": 2.0, "decay_rate": -0.7, "relative_step": True,
            "scale_parameter": True, "warmup_init": True, "epsilon_squares": 1e-20,
            "epsilon_scale": 1e-4,
        },
    }  # fmt: skip
    chosen = {name: value for name, value in own[optimizer].items() if chance.random() < 0.5}
    for name, needed in (
        ("dampening", "momentum"),
        ("warmup_init", "relative_step"),
        ("epsilon_scale", "scale_parameter"),
    ):
        if name in chosen:
            chosen[needed] = own[optimizer][needed]
    return chosen
