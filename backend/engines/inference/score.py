"""How well the model predicts given answers: the summed loss of each row's learned tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import mlx.core as mx
import numpy as np
from mlx import nn

from backend.contract.inference_frames import RowScore
from backend.engines.loss.linear_cross_entropy import cross_entropy
from backend.engines.loss.output_head import NoOutputHead, OutputHead
from backend.engines.process.token_types import Item
from backend.engines.tokens.answer_spans import tokens_and_spans

_TOKENS_AT_ONCE = 4096
_ROWS_AT_ONCE = 16


def score_rows(
    model: nn.Module,
    tokenizer: Any,
    rows: Sequence[Mapping[str, Any]],
    *,
    limit: int | None,
    between: Callable[[int], None],
) -> list[RowScore]:
    """One score per row, in order. Rows are those of training data: a prompt and its completion,
    messages, or text. Only answers count, as in training on answers only; of text, all of it.

    Rows longer than `limit` tokens are cut. `between` is called with the number of rows done.
    """
    items = [_item(tokenizer, row, limit) for row in rows]
    scores: list[RowScore] = [
        item if isinstance(item, RowScore) else RowScore() for item, _ in items
    ]
    done = sum(isinstance(item, RowScore) for item, _ in items)
    head = _output_head(model)
    for group in _groups([i if isinstance(i, tuple) else None for i, _ in items]):
        of_group = _score(model, head, [cast("Item", items[at][0]) for at in group])
        for at, score in zip(group, of_group, strict=True):
            loss, tokens, correct = score
            scores[at] = RowScore(loss=loss, tokens=tokens, correct=correct, truncated=items[at][1])
        done += len(group)
        between(done)
    return scores


def _item(
    tokenizer: Any, row: Mapping[str, Any], limit: int | None
) -> tuple[Item | RowScore, bool]:
    try:
        tokens, spans = tokens_and_spans(tokenizer, row, mask=True)
    except Exception as problem:  # noqa: BLE001 - a template raises what it likes
        return RowScore(problem=" ".join(str(problem).split())[:500] or "no reason given"), False
    if limit is None or len(tokens) <= limit:
        return (tokens, spans), False
    cut = tuple((begin, min(end, limit)) for begin, end in spans if begin < limit)
    return (tokens[:limit], cut), True


def _groups(items: Sequence[Item | None]) -> Iterator[list[int]]:
    """Rows of like length together, so that little is spent on padding."""
    order = sorted((len(item[0]), at) for at, item in enumerate(items) if item and len(item[0]) > 1)
    group: list[int] = []
    for length, at in order:
        if group and (len(group) == _ROWS_AT_ONCE or (len(group) + 1) * length > _TOKENS_AT_ONCE):
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def _score(
    model: nn.Module, head: OutputHead | None, items: Sequence[Item]
) -> list[tuple[float, int, int]]:
    """Per row: the summed loss of its learned tokens, their number, and how many of them are the
    most likely ones.
    """
    longest = max(len(tokens) for tokens, _ in items)
    # Padding stands behind, where a causal model can't see it from the tokens that count.
    batch = mx.array([[*tokens, *[0] * (longest - len(tokens))] for tokens, _ in items])
    counted = np.array([_mask(spans, longest) for _, spans in items])[:, 1:]
    at = np.flatnonzero(counted)
    losses, hits = np.zeros(counted.size), np.zeros(counted.size)
    for some, loss, hit in _of_positions(model, head, batch, at):
        losses[some], hits[some] = np.array(loss), np.array(hit)
    mx.clear_cache()
    sums = (losses.reshape(counted.shape), counted, hits.reshape(counted.shape))
    loss, tokens, correct = (each.sum(axis=1) for each in sums)
    return [
        (float(row_loss), int(row_tokens), int(row_correct))
        for row_loss, row_tokens, row_correct in zip(loss, tokens, correct, strict=True)
    ]


def _of_positions(
    model: nn.Module, head: OutputHead | None, batch: mx.array, at: np.ndarray[Any, Any]
) -> Iterator[tuple[np.ndarray[Any, Any], mx.array, mx.array]]:
    """Positions of the flat batch, the loss of each, and whether its target is the most likely
    token: a few at a time where the output head can be used alone.
    """
    states = head.hidden(batch[:, :-1]) if head else model(batch[:, :-1])
    states, targets = states.flatten(0, 1), batch[:, 1:].flatten()
    rows = head.chunk_rows if head else max(len(at), 1)
    for first in range(0, len(at), rows):
        some = at[first : first + rows]
        logits = states[mx.array(some)]
        logits = head(logits) if head else logits
        labels = targets[mx.array(some)]
        loss, hit = cross_entropy(logits, labels), mx.argmax(logits, axis=-1) == labels
        mx.eval(loss, hit)
        yield some, loss, hit


def _output_head(model: nn.Module) -> OutputHead | None:
    try:
        return OutputHead(model, training=False)
    except NoOutputHead:
        return None


def _mask(spans: Sequence[tuple[int, int]], length: int) -> list[int]:
    mask = [0] * length
    for begin, end in spans:
        mask[begin:end] = [1] * (min(end, length) - begin)
    return mask
