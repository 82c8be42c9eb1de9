"""Write lazy tensors as sharded safetensors, computing one at a time.

`mx.save_safetensors` computes all tensors of a file before it writes the first; here the header is
written from their shapes, and each tensor is forgotten as soon as its bytes are in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import mlx.core as mx
import numpy as np

from backend.core.disk.files import write_json

SHARD_BYTES: Final = 5 << 30  # As mlx_lm and the hub have it.
INDEX: Final = "model.safetensors.index.json"
_TYPES: Mapping[mx.Dtype, str] = {
    mx.float32: "F32", mx.float16: "F16", mx.bfloat16: "BF16", mx.uint32: "U32", mx.uint16: "U16",
    mx.uint8: "U8", mx.int32: "I32", mx.int64: "I64", mx.int16: "I16", mx.int8: "I8",
    mx.bool_: "BOOL", mx.uint64: "U64",
}  # fmt: skip


class Stopped(Exception):
    """The export was asked to stop between two tensors."""


def write_shards(
    folder: Path,
    tensors: dict[str, mx.array],
    *,
    each: Callable[[str, mx.array], None],
    metadata: Mapping[str, str],
    shard_bytes: int = SHARD_BYTES,
) -> int:
    """Write `model*.safetensors` and their index, and empty `tensors`; how many bytes of weights.

    `each` is told every tensor right after it was computed, before it is forgotten, and may raise.
    """
    total = sum(value.nbytes for value in tensors.values())
    shards = _shards({name: value.nbytes for name, value in tensors.items()}, shard_bytes)
    places: dict[str, str] = {}
    for number, names in enumerate(shards, start=1):
        file = "model.safetensors"
        if len(shards) > 1:
            file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        write_tensors(folder / file, {name: tensors.pop(name) for name in names}, metadata, each)
        places |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    write_json(folder / INDEX, index)
    return total


def write_tensors(
    path: Path,
    tensors: dict[str, mx.array],
    metadata: Mapping[str, str],
    each: Callable[[str, mx.array], None],
) -> None:
    """Write one file and empty `tensors`."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, value in tensors.items():
        start, end = end, end + value.nbytes
        header[name] = {
            "dtype": _TYPES[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name, value in _compute(tensors):
            each(name, value)
            file.write(_bytes(value))


def _compute(tensors: dict[str, mx.array]) -> Iterator[tuple[str, mx.array]]:
    """Each tensor once, in order, no longer held by `tensors`."""
    for name in list(tensors):
        value = tensors.pop(name)
        mx.eval(value)
        yield name, value
        del value


def _bytes(value: mx.array) -> memoryview:
    # The buffer of bfloat16 is one that numpy does not know; its bytes are those of uint16.
    plain = value.view(mx.uint16) if value.dtype == mx.bfloat16 else value
    array: Any = np.ascontiguousarray(np.asarray(plain))
    return memoryview(array).cast("B")


def _shards(sizes: Mapping[str, int], most: int) -> list[list[str]]:
    shards: list[list[str]] = []
    filled = 0
    for name, size in sizes.items():
        if not shards or filled + size > most:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards
