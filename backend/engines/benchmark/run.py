"""How fast this machine multiplies, copies and trains: three measurements, the best round of each.

The roofline model bounds a step by arithmetic or by memory (Williams, Waterman & Patterson 2009);
the third measurement is what a training step of a transformer's blocks reaches in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn

from backend.contract.jobs.machine_benchmark import BenchmarkRequest, MachineBenchmark
from backend.contract.record import read_record, write_record
from backend.contract.run.events import BenchmarkPhase, Phase, Progress
from backend.core.disk.files import write_json
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control

MATMUL_WIDTH = 1024
MEMORY_BYTES = 256 * 1024 * 1024
WIDTH, HIDDEN, TOKENS, BLOCKS, RANK = 512, 2048, 256, 4, 8
_FEWEST_ROUNDS = 3

_STOPPED = Ending("stopped", "The benchmark was stopped; nothing was saved.")


class _Stopped(Exception):
    """It was asked to stop between two rounds."""


def benchmark_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Measure what the folder asks for; answer how it ended. Errors are raised."""
    request = read_record(
        BenchmarkRequest, json.loads((folder / "request.json").read_text(encoding="utf-8"))
    )
    measurements: Sequence[tuple[BenchmarkPhase, Callable[[], Callable[[], None]]]] = (
        ("multiplying matrices", matmul_seconds),
        ("copying memory", copy_seconds),
        ("training blocks", training_seconds),
    )
    seconds: list[float] = []
    try:
        for done, (name, prepare) in enumerate(measurements, start=1):
            emit(Phase(name=name))
            seconds.append(_best(prepare(), request.seconds, control))
            emit(Progress(done=done, total=len(measurements)))
    except _Stopped:
        return _STOPPED
    result = MachineBenchmark(
        device=str(mx.default_device()),
        precision="float32",
        matmul_width=MATMUL_WIDTH,
        matmul_flops_per_second=2 * MATMUL_WIDTH**3 / seconds[0],
        memory_bytes=MEMORY_BYTES,
        memory_bytes_per_second=2 * MEMORY_BYTES / seconds[1],
        training_flops_per_second=6 * BLOCKS * 2 * WIDTH * HIDDEN * TOKENS / seconds[2],
        mlx=version("mlx"),
        measured=datetime.now(UTC).isoformat(),
    )
    write_json(folder / "result.json", write_record(result))
    emit(Phase(name="done"))
    return Ending("completed", "This machine was measured.")


def matmul_seconds() -> Callable[[], None]:
    """One round: the product of two square matrices."""
    left, right = (mx.random.normal((MATMUL_WIDTH, MATMUL_WIDTH)) for _ in range(2))
    mx.eval(left, right)
    return lambda: mx.eval(left @ right)


def copy_seconds() -> Callable[[], None]:
    """One round: every byte is read once and written once."""
    source = mx.zeros((MEMORY_BYTES // 4,), dtype=mx.float32)
    mx.eval(source)
    return lambda: mx.eval(source + 1.0)


def training_seconds() -> Callable[[], None]:
    """One round: loss and gradients of the adapters over frozen blocks."""
    blocks = [(_weights(WIDTH, HIDDEN), _weights(HIDDEN, WIDTH)) for _ in range(BLOCKS)]
    adapters = [(_weights(WIDTH, RANK), _weights(RANK, HIDDEN)) for _ in range(BLOCKS)]
    hidden = mx.random.normal((TOKENS, WIDTH))
    mx.eval(blocks, adapters, hidden)

    def loss(adapters: list[tuple[mx.array, mx.array]]) -> mx.array:
        state = hidden
        for (up, down), (a, b) in zip(blocks, adapters, strict=True):
            state = state + nn.silu(state @ up + (state @ a) @ b) @ down
        return mx.mean(state * state)

    step = mx.value_and_grad(loss)
    return lambda: mx.eval(step(adapters))


def _weights(rows: int, columns: int) -> mx.array:
    weights: mx.array = mx.random.normal((rows, columns)) / rows**0.5
    return weights


def _best(work: Callable[[], None], limit: float, control: Control) -> float:
    """The fastest round in `limit` seconds, after one that warms up."""
    work()
    best, rounds, end = float("inf"), 0, time.perf_counter() + limit
    while rounds < _FEWEST_ROUNDS or time.perf_counter() < end:
        if control.stop is not None:
            raise _Stopped
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
        rounds += 1
    return best
