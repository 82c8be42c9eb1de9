from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from backend.models.safetensors_headers import (
    BadWeights,
    Tensor,
    count_parameters,
    main_dtype,
    quantization_name,
    read_weights,
)


def safetensors(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return path


def entry(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_shapes_and_sizes_come_from_the_header(tmp_path: Path) -> None:
    path = safetensors(
        tmp_path / "model.safetensors",
        {"a": entry(0, 24, [2, 3]), "b": entry(24, 28, [2], "F16"), "__metadata__": {"x": "y"}},
        b"\0" * 28,
    )

    found = read_weights([path])

    assert found.tensors == {"a": Tensor("F32", (2, 3)), "b": Tensor("F16", (2,))}
    assert found.size_bytes == path.stat().st_size
    assert main_dtype(found.tensors) == "float32"


BAD: list[tuple[str, Any, bytes, int | None, str]] = [
    ("a header longer than the file", {"a": entry(0, 4, [1])}, b"\0" * 4, 5000, "cut short"),
    ("an absurd header", {}, b"", 1 << 60, "limit"),
    ("a header that is no JSON", b"{nonsense", b"", None, "damaged header"),
    ("a header that is a list", b"[1, 2]", b"", None, "damaged header"),
    ("overlapping tensors", {"a": entry(0, 8, [2]), "b": entry(4, 8, [1])}, b"\0" * 8, None, "b"),
    ("a gap", {"a": entry(0, 4, [1]), "b": entry(8, 12, [1])}, b"\0" * 12, None, "gap"),
    ("less data than promised", {"a": entry(0, 400, [100])}, b"\0" * 40, None, "40 bytes"),
    ("more data than promised", {"a": entry(0, 4, [1])}, b"\0" * 9, None, "9 bytes"),
    ("a shape that does not fit", {"a": entry(0, 4, [2])}, b"\0" * 4, None, "does not fit"),
    ("a negative offset", {"a": entry(-4, 0, [1])}, b"", None, "whole number"),
    ("a name twice", b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},'
     b'"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', b"\0" * 4, None, "twice"),
    ("an unknown type", {"a": entry(0, 4, [1], "X9")}, b"\0" * 4, None, "X9"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "data", "length", "named"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_damaged_file_is_refused_before_any_engine_opens_it(
    tmp_path: Path, header: Any, data: bytes, length: int | None, named: str
) -> None:
    path = safetensors(tmp_path / "model.safetensors", header, data, length=length)

    with pytest.raises(BadWeights) as refusal:
        read_weights([path])

    assert named in str(refusal.value)
    assert "model.safetensors" in str(refusal.value)


def test_a_file_of_three_bytes_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"abc")

    with pytest.raises(BadWeights, match="3 bytes"):
        read_weights([path])


def test_packed_weights_are_counted_unpacked_and_their_scales_not() -> None:
    tensors = {
        "a.weight": Tensor("U32", (4, 8)),
        "a.scales": Tensor("F16", (4, 1)),
        "a.biases": Tensor("F16", (4, 1)),
        "norm.weight": Tensor("F16", (64,)),
    }
    config = {"quantization": {"group_size": 64, "bits": 4}}

    assert count_parameters(tensors, config) == 4 * 8 * 8 + 64
    assert quantization_name(config) == "4-bit"


def test_a_layer_with_its_own_bits_is_counted_by_them() -> None:
    tensors = {"a.weight": Tensor("U32", (4, 8)), "a.scales": Tensor("F16", (4, 1))}
    config = {"quantization": {"bits": 4, "a": {"bits": 8, "group_size": 64}}}

    assert count_parameters(tensors, config) == 4 * 8 * 4


def test_a_second_copy_of_tied_embeddings_does_not_count() -> None:
    tensors = {
        "model.embed_tokens.weight": Tensor("F32", (10, 4)),
        "lm_head.weight": Tensor("F32", (10, 4)),
        "model.layers.0.self_attn.rotary_emb.inv_freq": Tensor("F32", (8,)),
    }

    assert count_parameters(tensors, {"tie_word_embeddings": True}) == 40
    assert count_parameters(tensors, {"tie_word_embeddings": False}) == 80
