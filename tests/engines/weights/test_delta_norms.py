"""ΔW as it is measured, against the product built in full."""

from __future__ import annotations

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from backend.contract.weights import MatrixChange
from backend.engines.weights.delta_norms import changes_of, read_tensors

NAME = "model.layers.0.self_attn.q_proj"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    mx.random.seed(3)
    weight = mx.random.normal((64, 32))
    mx.save_safetensors(str(folder / "model.safetensors"), {f"{NAME}.weight": weight})
    (folder / "config.json").write_text("{}")
    return folder


def adapter(folder: Path, **extra: mx.array) -> Path:
    mx.random.seed(5)
    tensors = {
        f"{NAME}.lora_a": mx.random.normal((32, 4)),
        f"{NAME}.lora_b": mx.random.normal((4, 64)),
    }
    path = folder / "adapters.safetensors"
    mx.save_safetensors(str(path), tensors | {f"{NAME}.{key}": v for key, v in extra.items()})
    return path


def whole(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    tensors = read_tensors(path)
    product = tensors[f"{NAME}.lora_b"].T @ tensors[f"{NAME}.lora_a"].T
    return np.array(product, np.float64)


def only(path: Path, *, scale: float, base: Path | None) -> MatrixChange:
    (found,) = changes_of(path, scale=scale, base=base)
    return found


def test_norms_and_ranks_are_those_of_the_product(tmp_path: Path, base: Path) -> None:
    path = adapter(tmp_path)
    found = only(path, scale=2.0, base=base)
    delta = 2 * whole(path)
    values = np.linalg.svd(delta, compute_uv=False)[:4]
    shares = values / values.sum()
    assert found.shape == (64, 32)
    assert found.rank == 4
    assert found.norm == pytest.approx(np.linalg.norm(delta), rel=1e-5)
    assert found.spectral == pytest.approx(values[0], rel=1e-5)
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)
    weight = np.array(read_tensors(base / "model.safetensors")[f"{NAME}.weight"])
    assert found.relative == pytest.approx(np.linalg.norm(delta) / np.linalg.norm(weight), rel=1e-5)


def test_factors_scaled_against_each_other_are_the_same_change(tmp_path: Path) -> None:
    plain = adapter(tmp_path)
    tensors = read_tensors(plain)
    other = tmp_path / "other.safetensors"
    mx.save_safetensors(
        str(other),
        {
            f"{NAME}.lora_a": tensors[f"{NAME}.lora_a"] * 100,
            f"{NAME}.lora_b": tensors[f"{NAME}.lora_b"] / 100,
        },
    )
    one, two = only(plain, scale=1, base=None), only(other, scale=1, base=None)
    assert two.norm == pytest.approx(one.norm, rel=1e-5)
    assert two.effective_rank == pytest.approx(one.effective_rank, rel=1e-5)


def test_a_fresh_adapter_changes_nothing_and_has_no_rank(tmp_path: Path) -> None:
    path = adapter(tmp_path)
    tensors = read_tensors(path)
    tensors[f"{NAME}.lora_b"] = mx.zeros((4, 64))
    mx.save_safetensors(str(path), tensors)
    found = only(path, scale=32, base=None)
    assert (found.norm, found.effective_rank, found.base_norm, found.relative) == (
        0,
        None,
        None,
        None,
    )


def test_a_stack_of_experts_is_one_matrix_with_a_norm_of_all(tmp_path: Path) -> None:
    name = "model.layers.0.mlp.switch_mlp.up_proj"
    mx.random.seed(1)
    a, b = mx.random.normal((3, 4, 32)), mx.random.normal((3, 64, 4))
    path = tmp_path / "experts.safetensors"
    mx.save_safetensors(str(path), {f"{name}.lora_a": a, f"{name}.lora_b": b})
    found = only(path, scale=1, base=None)
    assert found.shape == (3, 64, 32)
    assert found.norm == pytest.approx(float(mx.linalg.norm((b @ a).reshape(-1))), rel=1e-5)


def test_the_base_of_a_quantised_model_is_dequantised(tmp_path: Path, base: Path) -> None:
    weight = read_tensors(base / "model.safetensors")[f"{NAME}.weight"]
    packed, scales, biases = mx.quantize(weight, group_size=32, bits=8)
    parts = {"weight": packed, "scales": scales, "biases": biases}
    mx.save_safetensors(
        str(base / "model.safetensors"), {f"{NAME}.{key}": value for key, value in parts.items()}
    )
    config = {"quantization": {"group_size": 32, "bits": 8}}
    (base / "config.json").write_text(json.dumps(config))
    found = only(adapter(tmp_path), scale=1, base=base)
    assert found.base_norm == pytest.approx(float(mx.linalg.norm(weight)), rel=1e-2)


def test_doras_magnitudes_are_part_of_the_change(tmp_path: Path, base: Path) -> None:
    weight = read_tensors(base / "model.safetensors")[f"{NAME}.weight"]
    magnitude = 2 * mx.linalg.norm(weight, axis=1)
    path = adapter(tmp_path, m=magnitude)
    tensors = read_tensors(path)
    tensors[f"{NAME}.lora_b"] = mx.zeros((4, 64))
    mx.save_safetensors(str(path), tensors)
    # Nothing in B and twice the magnitude: W′ = 2 W, so the change is W itself.
    found = only(path, scale=1, base=base)
    assert found.relative == pytest.approx(1, rel=1e-5)
    assert only(path, scale=1, base=None).norm is None


def test_a_file_without_lora_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "full.safetensors"
    mx.save_safetensors(str(path), {"model.norm.weight": mx.ones(4)})
    with pytest.raises(ValueError, match="no LoRA matrices"):
        list(changes_of(path, scale=1, base=None))
