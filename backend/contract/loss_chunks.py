"""How many positions go through the output head at once, where the logits of all are never held."""

from __future__ import annotations

MIN_CHUNK_ROWS = 128  # With fewer rows a matrix product loses its speed.
CHUNK_LOGITS = 2**24


def chunk_rows(vocabulary: int) -> int:
    """64 MiB of 32-bit logits, at least 128 rows. With a small vocabulary that is all rows of a
    step in one go.
    """
    return max(MIN_CHUNK_ROWS, CHUNK_LOGITS // max(vocabulary, 1))
