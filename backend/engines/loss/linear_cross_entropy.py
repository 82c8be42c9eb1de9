"""Cross entropy behind an output head, row by row, without ever holding the logits of all rows.

For a hidden state h, logits z = head(h) and a target t (Goodfellow et al. 2016, *Deep Learning*,
section 6.2.2.3, for both lines):

    loss          = log Σ_j exp(z_j) − z_t
    d loss / d z  = softmax(z) − onehot(t)

A head that is not trained needs nothing but d loss / d h, which has the size of h, so it is made in
the forward pass while the logits of a few rows are there: the fused linear cross entropy of Hsu
et al. 2024, *Liger Kernel* (arXiv:2410.10989, section 3.2). Wijmans et al. 2024, *Cut Your Losses*
(arXiv:2411.09009), avoid the logits too, but run the head again in the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import mlx.core as mx

Head = Callable[[mx.array], mx.array]


def linear_cross_entropy(
    head: Head, hidden: mx.array, targets: mx.array, *, rows: int, gradient: bool
) -> mx.array:
    """The loss of each target in float32, of shape (n,). `hidden` is (n, width), `targets` (n,).

    `head` maps (k, width) to (k, vocabulary), each row for itself, and at most `rows` rows at once.
    With `gradient` the gradient of `hidden` is made in the same pass; the head itself gets none, so
    it must not be trained. Without it nothing is prepared for a backward pass: for validations and
    references. Nothing is evaluated here, so it may stand inside `mx.compile`.
    """
    if gradient:
        return _fused(head, rows)(hidden, targets)[0]
    losses: list[mx.array] = []
    for part, labels in _chunks(hidden, targets, rows):
        # Tied to the last chunk, or the evaluator would hold the logits of several at once.
        part = mx.depends(part, losses[-1:]) if losses else part
        losses.append(cross_entropy(head(part), labels))
    return mx.concatenate(losses)


def cross_entropy(logits: mx.array, targets: mx.array) -> mx.array:
    """log Σ exp(z) − z_t in float32, for logits of shape (n, vocabulary)."""
    logits = logits.astype(mx.float32)
    target_logits = mx.take_along_axis(logits, targets[:, None], axis=-1).squeeze(-1)
    return mx.logsumexp(logits, axis=-1) - target_logits


def _fused(head: Head, rows: int) -> Callable[..., list[mx.array]]:
    """(hidden, targets) → losses, and the gradient of each with respect to its own hidden state."""

    @mx.custom_function
    def fused(hidden: mx.array, targets: mx.array) -> list[mx.array]:
        losses: list[mx.array] = []
        gradients: list[mx.array] = []
        for part, target in _chunks(hidden, targets, rows):
            if losses:
                part = mx.depends(part, [losses[-1], gradients[-1]])
            loss, gradient = _chunk(head, part, target)
            losses.append(loss)
            gradients.append(gradient)
        return [mx.concatenate(losses), mx.concatenate(gradients)]

    @fused.vjp
    def backward(
        primals: list[mx.array], cotangents: list[mx.array], outputs: list[mx.array]
    ) -> tuple[mx.array, mx.array]:
        hidden, targets = primals
        gradient = cotangents[0][:, None] * outputs[1].astype(mx.float32)
        return gradient.astype(hidden.dtype), mx.zeros_like(targets)

    return cast("Callable[..., list[mx.array]]", fused)


def _chunk(head: Head, hidden: mx.array, targets: mx.array) -> tuple[mx.array, mx.array]:
    """Losses, and their gradients by autograd through whatever the head is made of: quantised,
    capped, scaled. What the loss itself adds to it is written out, in the fewest passes.
    """

    def through(hidden: mx.array) -> tuple[mx.array, mx.array]:
        logits = head(hidden)
        wide = mx.stop_gradient(logits).astype(mx.float32)
        losses = cross_entropy(wide, targets)
        of_target = mx.expm1(-losses)[:, None]  # softmax − 1 without cancellation.
        softmax = mx.softmax(wide, axis=-1)
        gradient = mx.put_along_axis(softmax, targets[:, None], of_target, axis=-1)
        gradient = mx.stop_gradient(gradient.astype(logits.dtype))
        total = cast("mx.array", _with_cotangent(logits, gradient)).sum()
        return total, mx.stop_gradient(losses)

    (_, losses), gradient = mx.value_and_grad(through)(hidden)
    return losses, gradient


@mx.custom_function
def _with_cotangent(value: mx.array, cotangent: mx.array) -> mx.array:
    """`value`, whose gradient is `cotangent` whatever stands behind it."""
    return value


@_with_cotangent.vjp
def _cotangent(primals: list[mx.array], _: mx.array, __: mx.array) -> tuple[mx.array, mx.array]:
    return primals[1], mx.zeros_like(primals[1])


def _chunks(hidden: mx.array, targets: mx.array, rows: int) -> Iterator[tuple[mx.array, mx.array]]:
    for first in range(0, max(hidden.shape[0], 1), rows):
        yield hidden[first : first + rows], targets[first : first + rows]
