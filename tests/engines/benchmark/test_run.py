from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.contract.jobs.machine_benchmark import BenchmarkRequest, MachineBenchmark
from backend.contract.record import read_record, write_record
from backend.core.disk.files import write_json

pytestmark = pytest.mark.engine


def test_every_figure_of_a_benchmark_was_measured(tmp_path: Path) -> None:
    from backend.engines.benchmark.run import benchmark_run
    from backend.engines.process.events import Emitter
    from backend.engines.process.signals import Control

    write_json(tmp_path / "request.json", write_record(BenchmarkRequest(seconds=0.05)))

    ending = benchmark_run(tmp_path, Emitter(tmp_path / "events.jsonl"), Control())

    assert ending.state == "completed"
    result = read_record(MachineBenchmark, json.loads((tmp_path / "result.json").read_text()))
    rates = (
        result.matmul_flops_per_second,
        result.memory_bytes_per_second,
        result.training_flops_per_second,
    )
    assert all(1e6 < rate < 1e16 for rate in rates)
    assert result.training_flops_per_second < 4 * result.matmul_flops_per_second


def test_a_stopped_benchmark_leaves_no_result(tmp_path: Path) -> None:
    from backend.engines.benchmark.run import benchmark_run
    from backend.engines.process.events import Emitter
    from backend.engines.process.signals import Control

    write_json(tmp_path / "request.json", write_record(BenchmarkRequest()))
    control = Control()
    control.stop = "save"

    ending = benchmark_run(tmp_path, Emitter(tmp_path / "events.jsonl"), control)

    assert ending.state == "stopped"
    assert not (tmp_path / "result.json").exists()
