"""The same model is known again, and one that was trained again is not taken for it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from backend.models.fingerprint import (
    PIECE,
    digest,
    join_digests,
    same_model,
    same_shape,
    sample_weights,
    short,
)

SHAPE, OTHER = "a" * 64, "b" * 64
ONE, TWO = "1" * 32, "2" * 32
PAIRS = [
    (join_digests(SHAPE, ONE), join_digests(SHAPE, ONE), True, True),
    (join_digests(SHAPE, ONE), join_digests(SHAPE, TWO), False, True),
    (join_digests(SHAPE, ONE), join_digests(OTHER, ONE), False, False),
    (SHAPE, join_digests(SHAPE, ONE), True, True),  # Recorded by an older version.
    (SHAPE, SHAPE, True, True),
    (OTHER, join_digests(SHAPE, ONE), False, False),
    (None, SHAPE, False, False),
    (None, None, False, False),
]


@pytest.mark.parametrize(("one", "other", "model", "shape"), PAIRS)
def test_like_is_compared_with_like(
    one: str | None, other: str | None, model: bool, shape: bool
) -> None:
    assert same_model(one, other) is same_model(other, one) is model
    assert same_shape(one, other) is same_shape(other, one) is shape


def test_names_and_sentences_tell_models_of_one_shape_apart() -> None:
    one, two = join_digests(SHAPE, ONE), join_digests(SHAPE, TWO)

    assert short(one) != short(two)
    assert digest(one) != digest(two)
    assert len(digest(one)) == len(digest(SHAPE)) == 12
    assert (short(SHAPE), short(None)) == ("a" * 12, "unknown")


@pytest.fixture
def weights(tmp_path: Path) -> list[Path]:
    """Two files of 8 and 4 MB."""
    chance = random.Random(0)
    files = [tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"]
    for path, size in zip(files, (8_000_000, 4_000_000), strict=True):
        path.write_bytes(chance.randbytes(size))
    return files


@pytest.mark.parametrize("file", [0, 1])
@pytest.mark.parametrize("part", range(24))
def test_any_block_of_layers_that_was_trained_is_noticed(
    weights: list[Path], file: int, part: int
) -> None:
    before = sample_weights(weights)
    with weights[file].open("r+b") as changed:
        size = changed.seek(0, os.SEEK_END)
        changed.seek(size * part // 24)
        changed.write(b"\1" * (size // 24))

    assert sample_weights(weights) != before


def test_neither_times_nor_order_play_a_part(weights: list[Path]) -> None:
    before = sample_weights(weights)
    os.utime(weights[0], (0, 0))

    assert sample_weights(list(reversed(weights))) == before


def test_a_file_smaller_than_a_piece_is_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"0" * (PIECE // 2))
    before = sample_weights([path])
    path.write_bytes(b"0" * (PIECE // 2 - 1) + b"1")

    assert sample_weights([path]) != before
