"""The space an export needs is told from the headers, before anything is written."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from backend.contract.export.request import ExportRequest
from backend.contract.export.size import count_weights, needed_bytes, written_bytes

MATRIX = 1 << 24


def model(folder: Path, tensors: dict[str, tuple[str, list[int]]], **config: Any) -> Path:
    """A folder with headers and no weights: none are read."""
    folder.mkdir()
    header = {
        name: {"dtype": kind, "shape": shape, "data_offsets": [0, 0]}
        for name, (kind, shape) in tensors.items()
    }
    text = json.dumps({"__metadata__": {}, **header}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def request(model: Path, kind: Any, **changed: Any) -> ExportRequest:
    return ExportRequest(
        model=str(model), format=kind, output="/x/a", staging="/x/.exporting-a", **changed
    )


@pytest.mark.parametrize(
    ("kind", "per_weight"),
    [
        ("merged", 2.0),
        ("merged_q8", 9 / 8),
        ("merged_q4", 5 / 8),
        ("gguf_f16", 2.0),
        ("gguf_q8", 8.5 / 8),
    ],
)
def test_the_need_follows_the_format(tmp_path: Path, kind: str, per_weight: float) -> None:
    folder = model(tmp_path / "m", {"a.weight": ("BF16", [4096, 4096])})

    needed = needed_bytes(request(folder, kind))

    beside = 64 << 20
    assert needed == pytest.approx(MATRIX * per_weight + beside, rel=1e-6)


def test_fewer_bits_make_a_smaller_file_and_what_is_written_on_the_way_only_needs_room(
    tmp_path: Path,
) -> None:
    tensors = {"a.weight": ("BF16", [4096, 4096]), "embed_tokens.weight": ("BF16", [4096, 4096])}
    folder = model(tmp_path / "m", tensors)

    kinds = ("gguf_q4", "gguf_q5", "gguf_q8", "gguf_f16")
    sizes = [written_bytes(request(folder, kind)) for kind in kinds]

    assert sizes == sorted(sizes)
    assert sizes[0] == MATRIX * (5 / 8 + 8.5 / 8)  # Embeddings keep 8 bits.
    beside = 64 << 20
    assert needed_bytes(request(folder, "gguf_q4")) == sizes[0] + 2 * 2 * MATRIX + beside


def test_packed_weights_count_as_what_they_stand_for(tmp_path: Path) -> None:
    folder = model(
        tmp_path / "m",
        {
            "a.weight": ("U32", [4096, 512]),
            "a.scales": ("F16", [4096, 64]),
            "a.biases": ("F16", [4096, 64]),
            "b.weight": ("U32", [4096, 1024]),
            "b.scales": ("F16", [4096, 64]),
            "norm.weight": ("F16", [4096]),
        },
        quantization={"bits": 4, "group_size": 64, "b": {"bits": 8, "group_size": 64}},
    )

    count = count_weights(folder)

    assert (count.matrices, count.others, count.width) == (2 * MATRIX, 4096, 2)


def test_peft_needs_the_size_of_its_adapter(tmp_path: Path) -> None:
    file = tmp_path / "adapters.safetensors"
    file.write_bytes(b"x" * 1000)

    assert needed_bytes(request(tmp_path, "peft", adapter={"file": str(file)})) > 2000
    with pytest.raises(ValueError, match="no adapter"):
        needed_bytes(request(tmp_path, "peft"))


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no weights in"):
        count_weights(tmp_path)
