"""A benchmark of this machine: what its process is asked for, and what it measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRequest:
    """`request.json`: seconds that each of the three measurements may take."""

    seconds: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineBenchmark:
    """`result.json`: the best of several rounds, on the device that engines use.

    `matmul_flops_per_second`: two square matrices of `matmul_width`; a multiplication and an
    addition are two operations. `memory_bytes_per_second`: bytes read and written by copying
    `memory_bytes`. `training_flops_per_second`: forward and backward through blocks with low-rank
    adapters, six operations per weight and token, as the time estimate counts them.
    """

    device: str
    precision: str
    matmul_width: int
    matmul_flops_per_second: float
    memory_bytes: int
    memory_bytes_per_second: float
    training_flops_per_second: float
    mlx: str
    measured: str  # When, ISO 8601.
