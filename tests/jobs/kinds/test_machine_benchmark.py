from __future__ import annotations

from pathlib import Path

from backend.contract.jobs.machine_benchmark import MachineBenchmark
from backend.contract.record import write_record
from backend.core.disk.files import write_json
from backend.jobs.kinds.machine_benchmark import benchmark_folders, newest_benchmark

RESULT = MachineBenchmark(
    device="Device(cpu, 0)", precision="float32", matmul_width=1024,
    matmul_flops_per_second=1e11, memory_bytes=2**28, memory_bytes_per_second=1e10,
    training_flops_per_second=5e10, mlx="0.32.4", measured="2026-12-01T00:00:00+00:00",
)  # fmt: skip


def test_the_newest_finished_benchmark_counts(tmp_path: Path) -> None:
    folders = benchmark_folders(tmp_path)
    assert newest_benchmark(folders) is None

    finished = folders.make({}, lambda _: None)
    write_json(finished.path / "result.json", write_record(RESULT))
    damaged = folders.make({}, lambda _: None)
    write_json(damaged.path / "result.json", {"device": 7})
    folders.make({}, lambda _: None)  # Stopped: it has none.

    assert newest_benchmark(folders) == RESULT
