"""What the model has already read of a conversation, so that its next turn is not read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlx import nn
from mlx_lm.models.cache import can_trim_prompt_cache, make_prompt_cache, trim_prompt_cache

Key = tuple[str, str]  # The conversation, and the adapter it was read with.


@dataclass(slots=True)
class Read:
    """`tokens` are what `cache` holds; both grow together."""

    tokens: list[int]
    cache: list[Any]

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.cache)


class Conversations:
    """Keeps the caches of the last few conversations, `budget` bytes in all."""

    def __init__(self, *, budget: int, most: int = 8) -> None:
        self._budget = budget
        self._most = most
        self._kept: OrderedDict[Key, Read] = OrderedDict()

    def take(self, model: nn.Module, key: Key | None, tokens: Sequence[int]) -> Read:
        """A cache that holds a beginning of `tokens`, never all of them; perhaps an empty one.

        It is the caller's until it is put back: a generation that fails leaves nothing behind.
        """
        read = self._kept.pop(key, None) if key is not None else None
        if read is not None:
            same = min(_common(read.tokens, tokens), len(tokens) - 1)
            surplus = len(read.tokens) - same
            if surplus == 0:
                return read
            trimmed = same > 0 and can_trim_prompt_cache(read.cache)
            if trimmed and trim_prompt_cache(read.cache, surplus) == surplus:
                del read.tokens[same:]
                return read
        return Read([], make_prompt_cache(model))

    def put(self, key: Key, read: Read) -> None:
        self._kept[key] = read
        self._kept.move_to_end(key)
        while len(self._kept) > self._most or (self._kept and self.nbytes > self._budget):
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()

    @property
    def nbytes(self) -> int:
        return sum(read.nbytes for read in self._kept.values())


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = zip(first, second, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
