"""A row as tokens, and which of them are learned."""

from __future__ import annotations

Span = tuple[int, int]  # The tokens from the first to before the second are learned.


Item = tuple[list[int], tuple[Span, ...]]
