"""What the engine's `train_grpo` tells its callback, from rollouts and their updates."""

from __future__ import annotations

import time
from typing import Any

import mlx.core as mx

from backend.engines.rl.policy.rollout import Rollout


class PolicyReport:
    """Collects between two reports. Lengths are the longest and shortest of the whole stretch."""

    def __init__(self) -> None:
        self._trained_tokens = 0
        self._begin()

    def rolled_out(self, rollout: Rollout, *, limit: int) -> None:
        """`limit` is the completion length at which generation was cut."""
        self._rollouts.append(rollout.metrics)
        self._lengths += rollout.lengths
        self._at_limit += sum(length >= limit for length in rollout.lengths)

    def learned(self, loss: float, metrics: dict[str, float]) -> None:
        self._learned.append({"loss": loss, **metrics})

    def take(self, iteration: int, learning_rate: float) -> dict[str, Any]:
        """The report of everything since the last one, under the engine's names.

        `train_loss`, KL, clip ratios and the entropy estimate are means over all passes over the
        rollouts, of which only those after an update can clip.
        """
        seconds = max(time.perf_counter() - self._started, 1e-9)
        tokens, rows = sum(self._lengths), max(len(self._lengths), 1)
        self._trained_tokens += tokens
        metrics = _means(self._rollouts) | _means(self._learned)
        metrics |= {
            "average_generated_tokens": tokens / rows,
            "max_generated_tokens": float(max(self._lengths, default=0)),
            "min_generated_tokens": float(min(self._lengths, default=0)),
            "hit_max_tokens_ratio": self._at_limit / rows,
        }
        info: dict[str, Any] = {f"train_{name}": value for name, value in metrics.items()}
        info |= {
            "iteration": iteration,
            "learning_rate": learning_rate,
            "iterations_per_second": len(self._rollouts) / seconds,
            "tokens_per_second": tokens / seconds,
            "trained_tokens": self._trained_tokens,
            "peak_memory": mx.get_peak_memory() / 1e9,
        }
        self._begin()
        return info

    def _begin(self) -> None:
        self._rollouts: list[dict[str, float]] = []
        self._learned: list[dict[str, float]] = []
        self._lengths: list[int] = []
        self._at_limit = 0
        self._started = time.perf_counter()


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each name over the rows that have it."""
    means: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            means.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in means.items()}
