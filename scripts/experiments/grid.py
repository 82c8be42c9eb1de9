"""What "LoRA Without Regret" is tried on: LoRA on different matrices, and full fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backend.training.lora.groups import SEVEN

STEPS = 60
SEEDS = (0, 1)
KEYS = {"full": SEVEN, "attention": SEVEN[:4], "mlp": SEVEN[4:]}
# With alpha / rank and alpha 32, as in the paper: the best rate should not depend on the rank.
ALPHA = 32.0
# Ranks that stand one below the other train about as many weights: the largest alike to 3 %, the
# smallest, where one rank more is much, to 13 %.
RANKS = {"full": (1, 4, 16), "mlp": (2, 7, 28), "attention": (2, 9, 37)}
LORA_RATES = (1e-4, 3e-4, 5.6e-4, 1e-3, 1.8e-3, 3e-3)
FULL_RATES = (3e-5, 1e-4, 1.8e-4, 3e-4, 5.6e-4, 1e-3)


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: `rank` is 0 for full fine-tuning."""

    method: str
    rank: int
    rate: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.method}-r{self.rank}-{self.rate:g}-s{self.seed}"

    @property
    def keys(self) -> tuple[str, ...]:
        return KEYS.get(self.method, SEVEN)

    @property
    def fields(self) -> dict[str, Any]:
        """Of the start request, beside the data."""
        common: dict[str, Any] = {
            "iterations": STEPS, "batch_size": 4, "max_seq_length": 256, "seed": self.seed,
            "learning_rate": self.rate, "steps_per_report": 20, "steps_per_eval": STEPS,
            "save_every": STEPS, "grad_checkpoint": False, "weight_decay": 0.0,
        }  # fmt: skip
        if self.rank == 0:
            return common | {"fine_tune_type": "full"}
        return common | {
            "lora_rank": self.rank, "lora_alpha": ALPHA, "lora_scaling": "alpha_over_rank",
        }  # fmt: skip


def cells() -> Iterator[Cell]:
    """Seed by seed, so that a part of the grid is a whole smaller one."""
    for seed in SEEDS:
        for method, ranks in RANKS.items():
            for rank in ranks:
                for rate in LORA_RATES:
                    yield Cell(method, rank, rate, seed)
        for rate in FULL_RATES:
            yield Cell("weights", 0, rate, seed)
