"""The disk space that an export needs, from the headers of the model's files alone."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.export.request import ExportRequest

_HEADER_CAP = 100 << 20  # As safetensors itself has it.
BESIDE = 64 << 20  # Tokenizer, card, log: more than any has.
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
# Bytes per weight at most, scales included: groups of 32 for MLX, blocks of 32 for GGUF.
_QUANTISED = {"merged_q4": 5 / 8, "merged_q8": 9 / 8, "gguf_q8": 8.5 / 8}
_EMBEDDINGS = ("embed_tokens", "lm_head")  # GGUF's 4 and 5 bits leave them 8.
_THROUGH_F16 = {"gguf_q5": 5.5 / 8, "gguf_q4": 5 / 8}  # llama.cpp's quantiser reads a 16-bit file.


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCount:
    """`matrices` are the weights that can be quantised, `embeddings` those of them that embed
    tokens, `others` the rest; `width` in bytes.
    """

    matrices: int
    embeddings: int
    others: int
    width: int


def needed_bytes(request: ExportRequest) -> int:
    """What must be free for it at its largest moment. Raises OSError or ValueError."""
    needed = written_bytes(request) + BESIDE
    if request.format in _THROUGH_F16:
        count = count_weights(Path(request.model))
        needed += count.matrices * 2 + count.others * 4
    return needed


def written_bytes(request: ExportRequest) -> int:
    """How large its weights are at most. Raises OSError or ValueError."""
    if request.format == "peft":
        if request.adapter is None:
            raise ValueError("there is no adapter, and PEFT holds nothing else.")
        return 2 * Path(request.adapter["file"]).stat().st_size
    count = count_weights(Path(request.model))
    others = count.others * 4
    if request.format == "merged":
        return (count.matrices + count.others) * count.width
    if request.format == "gguf_f16":
        return count.matrices * 2 + others
    if request.format in _THROUGH_F16:
        rate, more = _THROUGH_F16[request.format], _QUANTISED["gguf_q8"]
        return math.ceil(count.matrices * rate + count.embeddings * (more - rate)) + others
    bits = _QUANTISED[request.format]
    # The mixed recipe gives 6 bits to at most half of the matrices.
    mixed = 1 / 8 if request.recipe != "uniform" else 0.0
    return math.ceil(count.matrices * (bits + mixed)) + others


def count_weights(model: Path) -> WeightCount:
    """The weights of a model folder, quantised or not. Raises OSError or ValueError."""
    tensors = {
        name: entry
        for path in sorted(model.glob("model*.safetensors"))
        for name, entry in _header(path)
    }
    if not tensors:
        raise ValueError(f"There are no weights in {model}.")
    quantisation = _quantisation(model)
    matrices = embeddings = others = 0
    widths = [2]
    for name, entry in tensors.items():
        shape, kind = entry["shape"], entry["dtype"]
        module = name.removesuffix(".weight")
        packed = f"{module}.scales" in tensors
        if name.endswith((".scales", ".biases")) and f"{name[:-7]}.weight" in tensors:
            continue
        size = math.prod(shape)
        if packed:
            size = size * 32 // _bits(quantisation, module)
        elif len(shape) >= 2:
            widths.append(_WIDTHS.get(kind, 2))
        else:
            others += size
            continue
        matrices += size
        embeddings += size if module.endswith(_EMBEDDINGS) else 0
    scales = [_WIDTHS.get(tensors[n]["dtype"], 2) for n in tensors if n.endswith(".scales")]
    return WeightCount(
        matrices=matrices, embeddings=embeddings, others=others, width=max([*widths, *scales])
    )


def _bits(quantisation: Mapping[str, Any], module: str) -> int:
    own = quantisation.get(module)
    bits = own.get("bits") if isinstance(own, Mapping) else quantisation.get("bits")
    return bits if isinstance(bits, int) and bits > 0 else 4


def _quantisation(model: Path) -> Mapping[str, Any]:
    quantization = json.loads((model / "config.json").read_bytes()).get("quantization")
    return quantization if isinstance(quantization, Mapping) else {}


def _header(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else _HEADER_CAP + 1
        if length > _HEADER_CAP:
            raise ValueError(f"{path.name} is no safetensors file.")
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name != "__metadata__":
            yield name, entry
