"""What safetensors files hold, from their headers alone: no weight is ever read.

A header is checked before it is believed: its length against a cap and the file, every offset
against the data, so that a crafted or half-copied file is refused before an engine opens it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADER_CAP = 100_000_000

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16,
    "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
    "F4": 4, "C64": 64,
}  # fmt: skip
_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


# Of a text model inside one for pictures or sound; the engine is for text and drops them.
_TOWER = re.compile(
    r"(?:model\.|language_model\.)?(?:vision_tower|vision_model|vision_encoder|visual|vit|"
    r"multi_modal_projector|mm_projector|vision_projection|audio_tower|audio_model|"
    r"embed_vision|embed_audio|patch_merger)\."
)


class BadWeights(Exception):
    """A weight file that must not be loaded; the text is a sentence about why."""


@dataclass(frozen=True, slots=True)
class Tensor:
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.size * _BITS[self.dtype] // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSummary:
    """All tensors of a model. `fingerprint` changes with any name, shape, type or file size, but
    not with the weights' values.
    """

    tensors: Mapping[str, Tensor]
    size_bytes: int
    fingerprint: str
    # Tensors that two files hold: the names of both files, and whether shape and type agree.
    copies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    same_copies: bool = True
    format: str | None = None  # Which program's they are, as their headers say: mlx or pt.


def read_weights(files: Sequence[Path]) -> WeightSummary:
    """Read the headers of all `files` of one model. Raises BadWeights."""
    tensors: dict[str, Tensor] = {}
    digest = hashlib.sha256()
    total = 0
    home: dict[str, str] = {}
    copies: dict[str, tuple[str, str]] = {}
    same = True
    form: str | None = None
    for path in sorted(files):
        raw, size = _header_of(path)
        digest.update(path.name.encode() + str(size).encode() + raw)
        own, metadata = _tensors(path, raw, size - 8 - len(raw))
        form = form or metadata
        for name in own.keys() & tensors.keys():
            copies[name] = home[name], path.name
            same = same and own[name] == tensors[name]
        tensors |= own
        home |= dict.fromkeys(own, path.name)
        total += size
    return WeightSummary(
        tensors=tensors,
        size_bytes=total,
        fingerprint=digest.hexdigest(),
        copies=dict(sorted(copies.items())),
        same_copies=same,
        format=form,
    )


def count_parameters(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> int:
    """The number of weights as the engine counts them.

    Packed weights are counted unpacked and their scales and biases not at all; a second copy of
    tied embeddings, stored rotary tables and the towers for pictures and sound, which the engine
    drops, are left out.
    """
    quantization = _quantization(config)
    return sum(
        _unpacked(name, tensor, tensors, quantization)
        for name, tensor in tensors.items()
        if not _dropped(name, tensors, config)
    )


def main_dtype(tensors: Mapping[str, Tensor]) -> str | None:
    """The floating-point type that most weights have (of quantised ones: their scales')."""
    sizes: dict[str, int] = {}
    for tensor in tensors.values():
        if tensor.dtype in _DTYPES:
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.size
    return _DTYPES[max(sizes, key=lambda name: sizes[name])] if sizes else None


def quantization_name(config: Mapping[str, Any]) -> str | None:
    """Such as `4-bit` or `mxfp4`; None for weights that are not packed."""
    settings = _quantization(config)
    if not settings:
        return None
    bits = settings.get("bits")
    mode = settings.get("mode") or settings.get("quant_method")
    if isinstance(bits, int):
        return f"{bits}-bit" if mode in (None, "affine") else f"{bits}-bit {mode}"
    return str(mode) if mode else "quantised"


def _quantization(config: Mapping[str, Any]) -> Mapping[str, Any]:
    text = config.get("text_config")
    places = [config, text if isinstance(text, Mapping) else {}]
    for name in ("quantization", "quantization_config"):
        for place in places:
            if isinstance(place.get(name), Mapping):
                quantization: Mapping[str, Any] = place[name]
                return quantization
    return {}


def _unpacked(
    name: str, tensor: Tensor, tensors: Mapping[str, Tensor], quantization: Mapping[str, Any]
) -> int:
    base = name.rsplit(".", 1)[0]
    if tensor.dtype != "U32" or f"{base}.scales" not in tensors:
        return tensor.size
    own = quantization.get(base)
    bits = own.get("bits") if isinstance(own, Mapping) else quantization.get("bits")
    return tensor.size * 32 // bits if isinstance(bits, int) and bits > 0 else tensor.size


def _dropped(name: str, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> bool:
    base, _, leaf = name.rpartition(".")
    if leaf in ("scales", "biases"):
        weight = tensors.get(f"{base}.weight")
        return weight is not None and weight.dtype == "U32"
    if name.endswith("rotary_emb.inv_freq") or _TOWER.match(name):
        return True
    return base == "lm_head" and config.get("tie_word_embeddings") is True


def _header_of(path: Path) -> tuple[bytes, int]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise BadWeights(f"{path.name} can't be read: {problem.strerror}.") from problem
    with os.fdopen(handle, "rb") as file:
        size = os.fstat(handle).st_size
        start = file.read(8)
        if len(start) < 8:
            raise BadWeights(f"{path.name} is cut short: it has {size} bytes.")
        (length,) = struct.unpack("<Q", start)
        if length > HEADER_CAP:
            raise BadWeights(
                f"{path.name} is not a safetensors file: its header claims {length} bytes, and "
                f"{HEADER_CAP} is the limit."
            )
        if 8 + length > size:
            raise BadWeights(
                f"{path.name} is cut short: its header needs {length} bytes and the file has "
                f"{size}. The download may not have finished."
            )
        return file.read(length), size


def _tensors(path: Path, raw: bytes, data_size: int) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of a header, and the format that it names."""
    try:
        header = json.loads(raw, object_pairs_hook=_unique)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        spans = [_span(name, entry) for name, entry in entries.items()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise BadWeights(f"{path.name} has a damaged header: {problem}.") from problem
    end = 0
    for begin, stop, name in sorted(spans):
        if begin != end:
            raise BadWeights(f"{path.name} has a damaged header: {name} overlaps or leaves a gap.")
        end = stop
    if end != data_size:
        raise BadWeights(
            f"{path.name} holds {data_size} bytes of weights where its header promises {end}. "
            "The download may not have finished."
        )
    metadata = header.get("__metadata__")
    form = metadata.get("format") if isinstance(metadata, dict) else None
    return (
        {name: Tensor(entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()},
        form if isinstance(form, str) else None,
    )


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    begin, stop = entry["data_offsets"]
    shape = entry["shape"]
    if entry["dtype"] not in _BITS:
        raise ValueError(f"{name} has the unknown type {entry['dtype']!r}")
    numbers = [begin, stop, *shape]
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError(f"{name} has a shape or offset that is not a whole number")
    if (stop - begin) * 8 != math.prod(shape) * _BITS[entry["dtype"]]:
        raise ValueError(f"{name} has a shape that does not fit its bytes")
    return begin, stop, name


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice")
    return names
