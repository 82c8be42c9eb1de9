"""Turn documents into equal rows of tokens with a weight for each."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from .corpus import Document, documents
from .tokenizer import END_OF_TEXT, IM_END, IM_START

# What the user says is context, not something to learn to say; a little of it still helps.
CONTEXT_WEIGHT = 0.15

Tokens = list[int]
Weights = list[float]
Batch = tuple[NDArray[np.int32], NDArray[np.float32]]


def encode_document(
    tokenizer: PreTrainedTokenizerFast, document: Document
) -> tuple[Tokens, Weights]:
    """Tokens as the chat template gives them, full weight on what the assistant says."""
    if document.text:
        ids = _ids(tokenizer, document.text + END_OF_TEXT)
        return ids, [1.0] * len(ids)
    tokens: Tokens = []
    weights: Weights = []
    for message in document.messages:
        head = _ids(tokenizer, f"{IM_START}{message['role']}\n")
        body = _ids(tokenizer, f"{message['content']}{IM_END}")
        tail = _ids(tokenizer, "\n")
        weight = 1.0 if message["role"] == "assistant" else CONTEXT_WEIGHT
        tokens += head + body + tail
        weights += [CONTEXT_WEIGHT] * len(head) + [weight] * len(body) + [CONTEXT_WEIGHT]
    return tokens, weights


def batches(
    tokenizer: PreTrainedTokenizerFast, *, seed: int, rows: int, length: int
) -> Iterator[Batch]:
    """Endless (rows, length + 1) batches; each row starts with the start of a document."""
    stream = documents(seed)
    order = random.Random(seed)
    padding = _ids(tokenizer, END_OF_TEXT)[0]
    waiting: list[tuple[Tokens, Weights]] = []
    while True:
        tokens = np.full((rows, length + 1), padding, dtype=np.int32)
        weights = np.zeros((rows, length + 1), dtype=np.float32)
        for row in range(rows):
            at = 0
            while at < length + 1:
                while len(waiting) < 24:
                    waiting.append(encode_document(tokenizer, next(stream)))
                room = length + 1 - at
                # A fitting document first; an overlong one is cut rather than left out.
                pick = next((i for i, (ids, _) in enumerate(waiting) if len(ids) <= room), None)
                if pick is None and at:
                    break
                ids, share = waiting.pop(pick if pick is not None else order.randrange(24))
                end = min(at + len(ids), length + 1)
                tokens[row, at:end] = ids[: end - at]
                weights[row, at:end] = share[: end - at]
                at = end
        yield tokens, weights


def _ids(tokenizer: PreTrainedTokenizerFast, text: str) -> Tokens:
    ids: Tokens = tokenizer.encode(text, add_special_tokens=False)
    return ids
