"""Which model it is: a digest of its shape, and one of a sample of its weights.

A fingerprint is `<shape>+<sample>`: the shape is the SHA-256 of config and weight headers, the
sample 32 digits of the SHA-256 of pieces of the weights. Records of older versions have the shape
alone; two fingerprints are compared by what both of them have.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

PIECE = 4096
PIECES = 256  # Of all files together: 1 MB, some 10 ms from a disk without moving parts.
_LEAST = 4  # Of each file.
_MARK = "+"


def joined(shape: str, sample: str) -> str:
    return f"{shape}{_MARK}{sample}"


def same_model(one: str | None, other: str | None) -> bool:
    """False where either is unknown."""
    if not same_shape(one, other) or one is None or other is None:
        return False
    samples = {_parts(one)[1], _parts(other)[1]} - {""}
    return len(samples) < 2


def same_shape(one: str | None, other: str | None) -> bool:
    """Whether the two are equal but for the values of their weights, so that both are as fast and
    as large.
    """
    return one is not None and other is not None and _parts(one)[0] == _parts(other)[0]


def difference(before: str | None, now: str | None) -> str:
    """Which part of two models that are not the same differs, to be followed by the place."""
    if before is None or now is None:
        return "the weights can't be read now, or could not be then,"
    if same_shape(before, now):
        return "the weights differ, under the same config.json,"
    return "config.json or the sizes and names of the weights differ"


def short(fingerprint: str | None) -> str:
    """For a sentence."""
    if fingerprint is None:
        return "unknown"
    shape, sample = _parts(fingerprint)
    return joined(shape[:8], sample[:8]) if sample else shape[:12]


def digest(fingerprint: str) -> str:
    """Twelve digits for a file name."""
    if _MARK not in fingerprint:
        return fingerprint[:12]
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:12]


def sample_weights(files: Sequence[Path]) -> str:
    """32 digits that change when a model of the same shape is trained again. Raises OSError.

    Pieces are spread evenly over each file, its end among them: training changes at least a whole
    block of layers, which is as wide as several distances between two pieces. When a file was
    written plays no part, so a copied or downloaded model stays the same.
    """
    hasher = hashlib.sha256()
    sizes = {path: path.stat().st_size for path in sorted(files)}
    total = max(1, sum(sizes.values()))
    for path, size in sizes.items():
        count = max(_LEAST, PIECES * size // total)
        hasher.update(f"{path.name}/{size}/".encode())
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            for number in range(count):
                hasher.update(os.pread(handle, PIECE, max(0, size - PIECE) * number // (count - 1)))
        finally:
            os.close(handle)
    return hasher.hexdigest()[:32]


def _parts(fingerprint: str) -> tuple[str, str]:
    shape, _, sample = fingerprint.partition(_MARK)
    return shape, sample
