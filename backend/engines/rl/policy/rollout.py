"""One rollout: completions of a batch of prompts, their rewards, and what the updates need to know.

Generation and rewards are the engine's own functions, looked up in its module at each call, so that
whoever wraps them there (to watch samples, or to stop) is heard here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm_lora.trainer import grpo_trainer

from backend.engines.rl.policy.objective import Objective, centred_advantages, token_weights

RewardFunction = Callable[..., Sequence[float | None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a rollout, padded together. Arrays are (rows, width) of scored positions, save
    `inputs`, which holds whole sequences, and `advantages`, which is (rows,).
    """

    inputs: mx.array
    start: int
    mask: mx.array
    weights: mx.array
    advantages: mx.array
    old: mx.array | None
    reference: mx.array | None

    def score(self, model: Any) -> Any:
        """Log-probability of each completion token, and 0 elsewhere."""
        return grpo_trainer._get_token_logps(model, self.inputs, self.mask, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`metrics` has the engine's names; lengths are in tokens, the last one included."""

    chunks: tuple[Chunk, ...]
    lengths: tuple[int, ...]
    metrics: dict[str, float]

    @property
    def rows(self) -> int:
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        return sum(self.lengths)


def make_rollout(
    model: nn.Module,
    ref_model: Any,
    tokenizer: Any,
    batch: Any,
    *,
    objective: Objective,
    reward_funcs: Sequence[RewardFunction],
    args: Any,
    end_token: str,
    keep_old: bool,
) -> Rollout:
    """Sample from the policy, score, and fix what must not move during the updates.

    With `keep_old`, pi_old is computed here, once, without gradient, from the very weights that
    sampled, and dropout is off from then on. The reference is scored here too, once for all
    updates, and only when beta is not 0.
    """
    completions, texts, indices = grpo_trainer.generate_grpo(
        model=model,
        tokenizer=tokenizer,
        prompt_tokens=batch[0],
        max_tokens=args.max_completion_length,
        group_size=args.group_size,
        batch_size=args.batch_size,
        end_token=end_token,
        temperature=args.temperature,
        top_p=args.top_p,
        top_k=args.top_k,
        min_p=args.min_p,
    )
    if keep_old:
        _turn_dropout_off(model)
    advantages, metrics = _rewards(batch, texts, indices, objective, reward_funcs, args)
    lengths = tuple(completion.size for completion in completions)
    # As many rows at once as prompts, like the engine: the group does not multiply the memory.
    size = max(len(batch[0]), 1)
    chunks = []
    for first in range(0, len(completions), size):
        rows = slice(first, first + size)
        chunk = _chunk(
            batch, completions[rows], indices[rows], advantages[rows], objective, lengths
        )
        chunks.append(_fix(chunk, model if keep_old else None, objective.beta and ref_model))
    return Rollout(chunks=tuple(chunks), lengths=lengths, metrics=metrics)


def _turn_dropout_off(model: nn.Module) -> None:
    """Dropout alone: in `eval` some models take kernels that have no gradient."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()


def _rewards(
    batch: Any,
    texts: Sequence[str],
    indices: Sequence[int],
    objective: Objective,
    reward_funcs: Sequence[RewardFunction],
    args: Any,
) -> tuple[mx.array, dict[str, float]]:
    """Advantages of shape (rows,), and the engine's statistics of rewards.

    The engine always divides by the standard deviation of the group; where the method does not,
    advantages are made anew from the same scores.
    """
    heard = [_Heard(function) for function in reward_funcs]
    advantages, metrics = grpo_trainer._rollout_rewards(
        batch, texts, indices, heard, args.reward_weights
    )
    if not objective.divides_by_std:
        weights = args.reward_weights or [1.0] * len(heard)
        totals = [
            sum(weight * one.score(row) for weight, one in zip(weights, heard, strict=True))
            for row in range(len(texts))
        ]
        advantages = mx.array(centred_advantages(totals, indices), dtype=mx.float32)
    return advantages, {name: float(value.item()) for name, value in metrics.items()}


class _Heard:
    """A reward function that remembers its last scores, so that none is computed twice."""

    def __init__(self, function: RewardFunction) -> None:
        self.__name__ = function.__name__
        self._function = function
        self._scores: Sequence[float | None] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Sequence[float | None] | None:
        scores = self._function(*args, **kwargs)
        self._scores = scores or ()
        return scores

    def score(self, row: int) -> float:
        """As the engine adds up: a function that does not apply to a row adds nothing."""
        value = self._scores[row] if row < len(self._scores) else None
        return 0.0 if value is None or math.isnan(value) else float(value)


def _chunk(
    batch: Any,
    completions: Sequence[mx.array],
    indices: Sequence[int],
    advantages: mx.array,
    objective: Objective,
    lengths: Sequence[int],
) -> Chunk:
    inputs, mask, _ = grpo_trainer._prepare_grpo_inputs(batch, completions, indices)
    start = min(len(batch[0][index]) for index in indices) - 1
    mask = mask[:, start:]
    weights = token_weights(objective, mask, rows=len(lengths), tokens=sum(lengths))
    return Chunk(
        inputs=inputs,
        start=start,
        mask=mask,
        weights=weights,
        advantages=advantages,
        old=None,
        reference=None,
    )


def _fix(chunk: Chunk, old_model: Any, ref_model: Any) -> Chunk:
    old = mx.stop_gradient(chunk.score(old_model)) if old_model else None
    reference = mx.stop_gradient(chunk.score(ref_model)) if ref_model else None
    mx.eval([array for array in (old, reference, chunk.weights) if array is not None])
    return Chunk(
        inputs=chunk.inputs,
        start=chunk.start,
        mask=chunk.mask,
        weights=chunk.weights,
        advantages=chunk.advantages,
        old=old,
        reference=reference,
    )
