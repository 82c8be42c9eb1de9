"""What an adapter does to each matrix: size and rank of ΔW, beside the W that it changes.

Of the product, never of its factors: A and B can be scaled against each other without any change
of ΔW = scale · B · A. The product itself is not built where its factors are enough.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import numpy as np

from backend.contract.weights import MatrixChange

_A, _B, _M = ".lora_a", ".lora_b", ".m"

_Matrix = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def changes_of(
    weights: Path,
    *,
    scale: float,
    base: Path | None,
    names: Mapping[str, Sequence[Any]] | None = None,
    scales: Mapping[str, float] | None = None,
) -> Iterator[MatrixChange]:
    """Each adapted matrix of an adapter file, in the order of names.

    `names` maps the file's tensor names to (the engine's name, whether to turn it over) where
    another framework wrote it; `scales` has the modules whose scale is another.

    Raises OSError or RuntimeError when a file can't be read, ValueError when it holds no LoRA.
    """
    tensors = _renamed(read_tensors(weights), names)
    modules = sorted((name[: -len(_A)] for name in tensors if name.endswith(_A)), key=_natural)
    if not modules:
        raise ValueError(f"{weights.name} holds no LoRA matrices, so there is no ΔW to show.")
    source = BaseWeights(base) if base is not None else None
    for name in modules:
        if name + _B not in tensors:
            raise ValueError(f"{weights.name} has {name}{_A} without {name}{_B}.")
        yield _change(name, tensors, (scales or {}).get(name, scale), source)
        mx.clear_cache()


class BaseWeights:
    """The base's matrices by name, one in memory at a time; quantised ones are dequantised."""

    def __init__(self, folder: Path) -> None:
        self._tensors: dict[str, mx.array] = {}
        for file in sorted(folder.glob("model*.safetensors")):
            self._tensors |= read_tensors(file)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._quantization: Mapping[str, Any] = config.get("quantization") or {}

    def matrix(self, name: str) -> mx.array | None:
        """In float32, of shape (…, out, in); None where the base has none of that name."""
        weight = self._tensors.get(name + ".weight")
        if weight is None:
            return None
        if (scales := self._tensors.get(name + ".scales")) is None:
            return weight.astype(mx.float32)
        own = self._quantization.get(name)
        how = {**self._quantization, **own} if isinstance(own, Mapping) else self._quantization
        whole = mx.dequantize(
            weight,
            scales,
            self._tensors.get(name + ".biases"),
            group_size=int(how["group_size"]),
            bits=int(how["bits"]),
            mode=str(how.get("mode", "affine")),
        )
        return whole.astype(mx.float32)


def read_tensors(path: Path) -> dict[str, mx.array]:
    """The tensors of a safetensors file by name; each is read from disk when it is first used."""
    return cast("dict[str, mx.array]", mx.load(str(path)))


def _renamed(
    tensors: dict[str, mx.array], names: Mapping[str, Sequence[Any]] | None
) -> dict[str, mx.array]:
    if names is None:
        return tensors
    return {new: tensors[old].T if turned else tensors[old] for old, (new, turned) in names.items()}


def _change(
    name: str, tensors: Mapping[str, mx.array], scale: float, source: BaseWeights | None
) -> MatrixChange:
    left, right = _factors(tensors[name + _A]), _factors(tensors[name + _B])
    spectra = [scale * _singular(a, b) for a, b in zip(left, right, strict=True)]
    norm: float | None = math.sqrt(sum(float((values**2).sum()) for values in spectra))
    spectral: float | None = max(float(values.max(initial=0.0)) for values in spectra)
    ranks = [rank for values in spectra if (rank := _effective_rank(values)) is not None]
    base = source.matrix(name) if source else None
    if (magnitude := tensors.get(name + _M)) is not None:
        spectral = None
        norm = None if base is None else _dora(base, scale * right[0] @ left[0], magnitude)
    base_norm = None if base is None else _norm(base)
    shape = (len(left), right.shape[1], left.shape[2])
    return MatrixChange(
        name=name,
        shape=tuple(base.shape) if base is not None else shape[len(left) == 1 :],
        rank=left.shape[1],
        norm=norm,
        spectral=spectral,
        effective_rank=sum(ranks) / len(ranks) if ranks else None,
        base_norm=base_norm,
        relative=norm / base_norm if base_norm and norm is not None else None,
    )


def _factors(factor: mx.array) -> _Matrix:
    """A factor as (stack, rank, in) or (stack, out, rank).

    mlx_lm keeps a linear layer's as (in, rank) and (rank, out), an embedding's as (rows, rank) and
    (rank, width), of which the product is transposed, and experts' as they are wanted here.
    """
    values = np.array(factor.astype(mx.float32), np.float64)
    return values if values.ndim == 3 else values.T[None]


def _norm(matrix: mx.array) -> float:
    return float(mx.linalg.norm(matrix.reshape(-1)))


def _singular(a: _Matrix, b: _Matrix) -> _Matrix:
    """The singular values of b @ a through the small matrix between two orthonormal bases."""
    _, upper_b = np.linalg.qr(b)
    _, upper_a = np.linalg.qr(a.T)
    values: _Matrix = np.linalg.svd(upper_b @ upper_a.T, compute_uv=False)
    return values


def _effective_rank(values: _Matrix) -> float | None:
    total = values.sum()
    if not total > 0:
        return None
    shares = values[values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _dora(base: mx.array, change: _Matrix, magnitude: mx.array) -> float:
    """‖W′ − W‖ with W′ = m · (W + ΔW) / ‖W + ΔW‖ by row, as mlx_lm's DoRALinear has it."""
    whole = np.array(base, np.float64)
    moved = whole + (change if change.shape == whole.shape else change.T)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    learned = np.array(magnitude.astype(mx.float32), np.float64)[:, None]
    return float(np.linalg.norm(learned * moved / lengths - whole))


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in name.split("."))
