"""Shards are written a tensor at a time, and any reader finds all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import mlx.core as mx
import pytest

from backend.engines.export.tensor_files import Stopped, write_shards

pytestmark = pytest.mark.engine


def tensors() -> dict[str, mx.array]:
    return {
        "a": mx.arange(6, dtype=mx.float32).reshape(2, 3),
        "b": mx.array([1.5, -2.0], dtype=mx.bfloat16),
        "c": mx.array([[7]], dtype=mx.uint32),
        "d": mx.arange(12, dtype=mx.float16).reshape(3, 4).T,
    }


def test_what_is_written_is_read_back_from_all_shards(tmp_path: Path) -> None:
    seen: list[str] = []

    total = write_shards(
        tmp_path,
        tensors(),
        each=lambda name, _: seen.append(name),
        metadata={"format": "mlx"},
        shard_bytes=28,
    )

    files = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert files == [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == total == 24 + 4 + 4 + 24
    back = {
        name: cast("dict[str, mx.array]", mx.load(str(tmp_path / file)))[name]
        for name, file in index["weight_map"].items()
    }
    assert seen == list(tensors())
    for name, value in tensors().items():
        assert back[name].dtype == value.dtype
        assert mx.array_equal(back[name], value).item()


def test_a_stop_ends_the_writing(tmp_path: Path) -> None:
    def stop(_name: str, _value: mx.array) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        write_shards(tmp_path, tensors(), each=stop, metadata={})
