"""What is said of an adapter's weights as a whole."""

from __future__ import annotations

from typing import Any

from backend.contract.record import read_record
from backend.contract.weights import MatrixChange
from backend.evaluation.weight_changes import summed_up


def change(**fields: Any) -> MatrixChange:
    return read_record(
        MatrixChange,
        {
            "name": "layers.0.q_proj", "shape": [4, 4], "rank": 8, "norm": 3.0, "spectral": 2.0,
            "effective_rank": 4.0, "base_norm": 10.0, "relative": 0.3, **fields,
        },
    )  # fmt: skip


def test_norms_add_up_as_lengths_do() -> None:
    found = summed_up([change(norm=3.0, base_norm=6.0), change(norm=4.0, base_norm=8.0)])
    assert (found.norm, found.relative, found.mean_effective_rank) == (5.0, 0.5, 4.0)
    assert found.warnings == []


def test_one_unknown_norm_makes_the_whole_unknown() -> None:
    found = summed_up([change(), change(norm=None, base_norm=None, relative=None)])
    assert (found.norm, found.relative) == (None, None)


def test_idle_matrices_and_overwritten_ones_are_pointed_out() -> None:
    idle, loud = (
        change(norm=0.0, effective_rank=None, relative=0.0),
        change(name="layers.3.up_proj", relative=2.5),
    )
    first, second = summed_up([idle, loud]).warnings
    assert "1 of 2 matrices are unchanged, layers.0.q_proj" in first
    assert "layers.3.up_proj (2.50 times)" in second
