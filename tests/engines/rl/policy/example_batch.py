"""A fixed rollout on the tiny model: chosen completions and scores in place of sampled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten, tree_map
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load
from mlx_lm_lora.trainer import grpo_trainer
from mlx_lm_lora.trainer.grpo_trainer import GRPOTrainingArgs

from backend.engines.rl.policy.rollout import Rollout, make_rollout
from backend.engines.rl.policy.train import objective_of

PROMPTS = ("Two and two?", "What is blue?")
GROUP = 3
# Of unequal length, because length is what the methods disagree about.
COMPLETIONS = ("four", "it may be four", "22", "the sky is blue", "sea", "I do not know that")
# One group far apart, one close together: what dividing by the standard deviation hides.
SCORES = (1.0, 0.0, -1.0, 0.5, 0.375, 0.25)
GROUPS = (0, 0, 0, 1, 1, 1)


@dataclass(frozen=True)
class Policy:
    model: nn.Module
    tokenizer: Any

    def tokens(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text))

    @property
    def batch(self) -> Any:
        prompts = [self.tokens(prompt) for prompt in PROMPTS]
        return prompts, [[0], [0]], list(PROMPTS), ["4", "sky"], None

    @property
    def completions(self) -> list[mx.array]:
        return [mx.array(self.tokens(text), dtype=mx.int32) for text in COMPLETIONS]


def load_policy(
    folder: Path, *, keys: tuple[str, ...] = ("self_attn.q_proj", "mlp.up_proj"),
    use_dora: bool = False, dropout: float = 0.0,
) -> Policy:  # fmt: skip
    """The tiny model with adapters that already do something, so that it is not its own base."""
    mx.random.seed(3)
    model, tokenizer = load(str(folder))
    model.freeze()
    settings = {"rank": 4, "scale": 4.0, "dropout": dropout, "keys": list(keys)}
    linear_to_lora_layers(model, 2, settings, use_dora=use_dora)
    move(model, seed=5, by=0.1)
    model.train()
    return Policy(model, tokenizer)


def move(model: nn.Module, *, seed: int, by: float) -> None:
    """A step in a random direction: weights as some other update would have left them."""
    chance = np.random.default_rng(seed)
    moved = [
        (name, value + mx.array(chance.normal(0, by, value.shape).astype(np.float32)))
        for name, value in tree_flatten(model.trainable_parameters())
    ]
    model.load_weights(moved, strict=False)


def fixed_score(*, completions: list[str], **_: Any) -> list[float]:
    return list(SCORES[: len(completions)])


def arguments(**changed: Any) -> GRPOTrainingArgs:
    args = GRPOTrainingArgs(
        batch_size=2, iters=4, val_batches=1, steps_per_report=1, steps_per_eval=100,
        steps_per_save=1000, max_seq_length=64, grad_checkpoint=False, group_size=GROUP, beta=0.0,
        epsilon=0.2, max_completion_length=24, temperature=1.0, gradient_accumulation_steps=1,
    )  # fmt: skip
    for name, value in changed.items():
        setattr(args, name, value)
    return args


def fixed_rollout(
    policy: Policy, args: GRPOTrainingArgs, monkeypatch: pytest.MonkeyPatch, *,
    keep_old: bool = False, ref_model: Any = None, scores: Sequence[Any] = (fixed_score,),
) -> Rollout:  # fmt: skip
    monkeypatch.setattr(
        grpo_trainer,
        "generate_grpo",
        lambda **_: (policy.completions, list(COMPLETIONS), list(GROUPS)),
    )
    return make_rollout(
        policy.model,
        ref_model,
        policy.tokenizer,
        policy.batch,
        objective=objective_of(args),
        reward_funcs=scores,
        args=args,
        end_token="",
        keep_old=keep_old,
    )


def largest_gap(first: Any, second: Any) -> float:
    return largest(tree_map(lambda a, b: a - b, first, second))


def largest(gradient: Any) -> float:
    return max(float(np.abs(np.array(value)).max()) for _, value in tree_flatten(gradient))
