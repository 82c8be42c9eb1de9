"""The clipped policy objectives as their papers define them: pure functions of log-probabilities.

One batch is `rows` completions, each sampled from the policy that stood when the rollout was made
(pi_old). Arrays have the shape (rows, width); `mask` is true on the tokens of a completion, the
token that ended it included.

| paper | symbol | here |
|---|---|---|
| Shao et al. 2024, *DeepSeekMath*, eq. 3 and 4 | GRPO | `grpo`, level `token` |
| Liu et al. 2025, *Understanding R1-Zero-Like Training*, section 3.2 | Dr. GRPO | `dr_grpo` |
| Zheng et al. 2025, *Group Sequence Policy Optimization*, eq. 5 and 7 | GSPO | level `sequence` |
| Yu et al. 2025, *DAPO*, eq. 8 (token mean) and 10 (clip-higher) | DAPO | `bnpo`, `epsilon_high` |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mlx.core as mx
import numpy as np

LossType = Literal["grpo", "bnpo", "dr_grpo"]
Level = Literal["token", "sequence"]
Floats = np.ndarray[Any, np.dtype[np.float64]]

# The engine's bound: exp(20) is the largest ratio that one token may add to the KL estimate.
LARGEST_KL_LOG_RATIO = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Which of them, and its numbers. `max_tokens` is the limit of a completion's length."""

    loss_type: LossType = "grpo"
    level: Level = "token"
    beta: float = 0.0
    epsilon: float = 0.2
    epsilon_high: float | None = None
    max_tokens: int = 512

    def __post_init__(self) -> None:
        if self.loss_type not in ("grpo", "bnpo", "dr_grpo"):
            raise ValueError(f"Unknown loss type {self.loss_type!r}: grpo, bnpo or dr_grpo.")
        if self.level not in ("token", "sequence"):
            raise ValueError(f"Unknown importance sampling level {self.level!r}.")
        if self.max_tokens < 1:
            raise ValueError(f"The completion limit of {self.max_tokens} must be at least 1.")

    @property
    def divides_by_std(self) -> bool:
        """Whether advantages are divided by their group's standard deviation."""
        return self.loss_type != "dr_grpo"


def centred_advantages(rewards: Sequence[float], groups: Sequence[int]) -> Floats:
    """Reward less the mean of its group, and nothing else: Dr. GRPO, Liu et al. 2025, section 3.2.

    Dividing by the standard deviation, as GRPO and the engine do, weighs questions that are nearly
    always right or nearly always wrong more than those in between: the difficulty bias they remove.
    """
    values = np.asarray(rewards, np.float64)
    advantages = np.zeros_like(values)
    members = np.asarray(groups)
    for group in np.unique(members):
        own = members == group
        advantages[own] = values[own] - values[own].mean()
    return advantages


def token_weights(objective: Objective, mask: mx.array, *, rows: int, tokens: int) -> mx.array:
    """What each token counts in the loss, for a chunk of a rollout of `rows` and `tokens` in all.

    - `grpo`: 1 / (rows · |o_i|), the mean of each sequence's mean (DeepSeekMath eq. 3; GSPO eq. 5).
    - `bnpo`: 1 / tokens, one mean over all tokens (DAPO eq. 8, over the batch instead of a group).
    - `dr_grpo`: 1 / (rows · max_tokens), a constant (Liu et al. 2025, section 3.2 and listing 1).

    With these, losses and gradients of chunks add up to those of the rollout.
    """
    if objective.loss_type == "grpo":
        counts = mx.maximum(mask.sum(axis=1, keepdims=True), 1)
        return mask / (counts * rows)
    if objective.loss_type == "bnpo":
        return mask / max(tokens, 1)
    return mask / float(rows * objective.max_tokens)


def importance_ratio(objective: Objective, logps: mx.array, old: mx.array, mask: mx.array) -> Any:
    """pi / pi_old, differentiable in `logps`; of shape (rows, width), or (rows, 1) per sequence.

    Per token: DeepSeekMath eq. 3. Per sequence: s_i = (pi(y_i) / pi_old(y_i))^(1 / |y_i|), GSPO
    eq. 7, which is the geometric mean of the token ratios.
    """
    shift = mx.where(mask, logps - old, 0)
    if objective.level == "sequence":
        counts = mx.maximum(mask.sum(axis=1, keepdims=True), 1)
        shift = shift.sum(axis=1, keepdims=True) / counts
    return mx.exp(shift)


def kl_estimate(logps: mx.array, reference: mx.array) -> mx.array:
    """Per token, pi_ref / pi − log(pi_ref / pi) − 1 ≥ 0: DeepSeekMath eq. 4.

    Unbiased for tokens drawn from `logps` itself; after the first update of a rollout the tokens
    are those of an older policy, and it is an approximation, as in the paper's own algorithm.
    """
    shift = mx.minimum(reference - logps, LARGEST_KL_LOG_RATIO)
    # expm1, because near zero the two terms cancel and the estimate is quadratic.
    return mx.maximum(mx.expm1(shift) - shift, 0)


def policy_loss(
    objective: Objective,
    logps: mx.array,
    *,
    old: mx.array | None,
    reference: mx.array | None,
    mask: mx.array,
    advantages: mx.array,
    weights: mx.array,
) -> tuple[mx.array, dict[str, mx.array]]:
    """The loss of a chunk, and its sums for the report (see `tally`).

    −min(ratio · A, clip(ratio, 1 − epsilon, 1 + epsilon_high) · A) + beta · KL per token, weighted
    (DeepSeekMath eq. 3; DAPO eq. 10 for the two widths). Without `old` the policy is taken as its
    own pi_old: the ratio is 1, its gradient that of log pi, and clipping can do nothing.
    `advantages` has the shape (rows,). Gradients flow through `logps` alone.
    """
    logps = mx.where(mask, logps.astype(mx.float32), 0)
    before = logps if old is None else old.astype(mx.float32)
    ratio = importance_ratio(objective, logps, mx.stop_gradient(before), mask)
    above = objective.epsilon if objective.epsilon_high is None else objective.epsilon_high
    low, high = 1 - objective.epsilon, 1 + above
    advantage = mx.stop_gradient(advantages.astype(mx.float32))[:, None]
    gain = mx.minimum(ratio * advantage, mx.clip(ratio, low, high) * advantage)
    per_token = -gain
    kl = None
    if reference is not None:
        kl = kl_estimate(logps, mx.where(mask, mx.stop_gradient(reference), 0))
        if objective.beta:
            per_token = per_token + objective.beta * kl
    loss = (mx.where(mask, per_token, 0) * weights).sum()
    sums = {
        "clipped_low": ((ratio < low) & (advantage < 0) & mask).sum(),
        "clipped_high": ((ratio > high) & (advantage > 0) & mask).sum(),
        "surprise": -logps.sum(),
    }
    if kl is not None and reference is not None:
        counts = mx.maximum(mask.sum(axis=1), 1)
        sums["kl"] = (mx.where(mask, kl, 0).sum(axis=1) / counts).sum()
        sums["kl_saturated"] = ((reference - logps > LARGEST_KL_LOG_RATIO) & mask).sum()
    return loss, sums


def tally(sums: dict[str, float], *, rows: int, tokens: int) -> dict[str, float]:
    """The engine's names for what `policy_loss` summed over the chunks of one rollout.

    Clip ratios are shares of tokens whose gradient the clipping removed; for `sequence` those of
    clipped sequences. `entropy_estimate` is the mean of −log pi of the sampled tokens: the entropy
    in expectation when sampled at temperature 1 without cut-offs, lower with top-p or top-k.
    `kl` and `kl_clip_ratio` are missing when there is no reference: unknown is not zero.
    """
    per_token = max(tokens, 1)
    result = {
        "clip_ratio_low": sums["clipped_low"] / per_token,
        "clip_ratio_high": sums["clipped_high"] / per_token,
        "clip_ratio_total": (sums["clipped_low"] + sums["clipped_high"]) / per_token,
        "entropy_estimate": sums["surprise"] / per_token,
    }
    if "kl" in sums:
        result["kl"] = sums["kl"] / max(rows, 1)
        result["kl_clip_ratio"] = sums["kl_saturated"] / per_token
    return result
