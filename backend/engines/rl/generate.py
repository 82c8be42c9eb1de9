"""The engine's batch generator, counted and steerable: a stop need not wait for a whole rollout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.generate import BatchGenerator

from backend.engines.rl.rollouts import Rollouts
from backend.engines.trainer.feed import Halted


def steerable(
    stopping: Callable[[], bool],
    rollouts: Callable[[], Rollouts],
    *,
    concurrency: int | None = None,
) -> type[BatchGenerator]:
    """A kind of BatchGenerator that raises Halted when it should stop, and notes the lengths of
    completions, how many were cut, and the entropy of the policy at each generated token.

    The entropy is that of the model's own distribution (temperature 1, nothing cut off), in nats:
    exact at each visited position, not an estimate from the sampled tokens.

    `concurrency` is how many completions are decoded at once. The engine by itself decodes as many
    as a batch has prompts, whatever the group: a step with one prompt and a group of 4 took three
    times as long on the demo model. More take the memory of their caches.
    """

    class Steerable(BatchGenerator):  # type: ignore[misc]  # the engine has no types
        def __init__(self, *args: Any, **sizes: Any) -> None:
            if concurrency is not None:
                sizes |= {
                    "completion_batch_size": concurrency, "prefill_batch_size": concurrency,
                }  # fmt: skip
            super().__init__(*args, **sizes)

        def next_generated(self) -> Any:
            if stopping():
                raise Halted
            responses = super().next_generated()
            if responses:
                self._note(responses)
            return responses

        def _note(self, responses: Any) -> None:
            noted = rollouts()
            counts = self.__dict__.setdefault("_droid_counts", {})
            for response in responses:
                counts[response.uid] = counts.get(response.uid, 0) + 1
                if response.finish_reason is not None:
                    noted.lengths.append(counts.pop(response.uid))
                    noted.cut += response.finish_reason == "length"
            noted.tokens += len(responses)
            noted.entropy += _entropy([one.logprobs for one in responses])

    return Steerable


def _entropy(logprobs: list[mx.array]) -> float:
    """The sum over positions of −Σ p·log p; a token that can't come adds nothing."""
    stacked = mx.stack(logprobs).astype(mx.float32)
    parts = mx.where(mx.isfinite(stacked), mx.exp(stacked) * stacked, 0)
    return float(np.array(-parts.sum()))
