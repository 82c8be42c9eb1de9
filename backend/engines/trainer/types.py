"""What the trainers take: a set of tokenised rows."""

from __future__ import annotations

from typing import Protocol

from backend.engines.process.token_types import Item


class Tokenised(Protocol):
    """Row → its tokens, and which of them are learned."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item: ...
