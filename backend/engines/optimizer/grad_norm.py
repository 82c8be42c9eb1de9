"""The global norm of a gradient: measured at every update, and limited where that was asked for.

It stands in the optimizer's state, where a compiled step may write it; NaN until it is measured.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
from mlx.utils import tree_flatten

GRAD_NORM = "grad_norm"


@cache
def measured(kind: type[optim.Optimizer]) -> type[optim.Optimizer]:
    """`kind`, with the L2 norm over all gradients in `state["grad_norm"]`, as it was before it was
    limited to `max_grad_norm`. Updates without a limit are those of `kind`, bit for bit.
    """

    class WithGradNorm(kind):  # type: ignore[misc]  # the engine has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.max_grad_norm: float | None = None
            self.state[GRAD_NORM] = mx.array(float("nan"))  # Until the first update.

        def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
            if self.max_grad_norm is None:
                self.state[GRAD_NORM] = global_norm(gradients)
            else:
                gradients, norm = optim.clip_grad_norm(gradients, self.max_grad_norm)
                self.state[GRAD_NORM] = norm.astype(mx.float32)
            return super().apply_gradients(gradients, parameters)

    WithGradNorm.__name__ = kind.__name__
    return WithGradNorm


def global_norm(gradients: Any) -> mx.array:
    """The L2 norm over every leaf, in float32: squares of halves would overflow."""
    leaves = [leaf.astype(mx.float32) for _, leaf in tree_flatten(gradients)]
    return mx.sqrt(sum((leaf.square().sum() for leaf in leaves), start=mx.array(0.0)))
