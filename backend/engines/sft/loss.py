"""The loss of a step whose rows come in parts (`backend/contract/step_parts.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx

from backend.engines.trainer.token_losses import Loss


def over_parts(loss: Loss) -> Callable[..., tuple[mx.array, mx.array]]:
    """`loss`, a mean per learned token and their number, for the arrays of one or more parts."""

    def over(model: Any, *arrays: mx.array) -> tuple[mx.array, mx.array]:
        mean, count = loss(model, arrays[0], arrays[1])
        for tokens, learned in zip(arrays[2::2], arrays[3::2], strict=True):
            more, number = loss(model, tokens, learned)
            mean = (mean * count + more * number) / (count + number)
            count = count + number
        return mean, count

    return over


def of_share(loss: Callable[..., tuple[mx.array, mx.array]]) -> Callable[..., Any]:
    """`loss` for a rank's share of a step. The last array is (weight, there): by what its mean is
    multiplied, so that the mean over the ranks is that over all learned tokens of the step; and
    whether it has rows at all, or a row in their stead that counts nothing.
    """

    def weighed(model: Any, *arrays: mx.array) -> tuple[mx.array, mx.array]:
        *rows, share = arrays
        mean, count = loss(model, *rows)
        return mean * share[0], (count * share[1]).astype(count.dtype)

    return weighed
