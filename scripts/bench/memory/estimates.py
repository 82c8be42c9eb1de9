"""The memory estimate against real peaks, case by case, into docs/memory-estimate.md."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from backend.api.services import Services
from backend.app import build_services
from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from backend.training.request.sft_fields import StandardStart
from scripts.bench.app_peak import peak_of
from scripts.bench.machine import machine
from scripts.bench.memory.cases import APP_CASES, CASES, AppCase, Case
from scripts.setup.stamps import CHECKOUT

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
PAGE = CHECKOUT / "docs" / "memory-estimate.md"
UNDER, OVER = 0.9, 1.15
_HEAD = """# The memory estimate against measured peaks

Written by `npm run bench -- memory --write`. Random models are trained for two updates through
mlx_lm's own loop with the app's loss; *peak* is what its allocator says, *estimate* what the app
shows before a run, at rows that fill the length. The factors of
`backend/training/estimate/memory.py` were fitted to the runs in
`tests/training/estimate/test_memory.py` and to those below, so this is how well they fit and no
independent check. Wanted: within 15 %, and never more than 10 % under.

"""
_APP_HEAD = """
The app's own runs on the demo model and data, whose rows differ in length: *estimate* is that of
the preview, which looks for the run's largest step; *steps* are enough to reach it. A batch of
validation that needs more than any step counts too. How much less a step needs whose rows come in
two parts was settled on these runs.

"""


def bench_memory(*, write: bool) -> int:
    """Measure, print and with `write` keep it; 1 when a case misses its limits."""
    alone = list(measurements())
    own = asyncio.run(app_measurements())
    text = machine()
    print(f"\n  {text}")
    if write:
        page = f"{_HEAD}{text}\n\n{_table(alone)}{_APP_HEAD}{_table(own)}"
        PAGE.write_text(page, encoding="utf-8")
        print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0 if all(row.met for row in (*alone, *own)) else 1


@dataclass(frozen=True, slots=True)
class Row:
    """Sizes in bytes; `weights` are numbers of the model."""

    case: str
    weights: int
    peak: float
    estimate: float

    @property
    def ratio(self) -> float:
        return self.estimate / self.peak

    @property
    def met(self) -> bool:
        return UNDER <= self.ratio <= OVER

    def show(self) -> Row:
        print(f"  {self.case:<64} {self.peak / 1e6:7.1f} MB   × {self.ratio:.2f}", flush=True)
        return self


def measurements() -> Iterator[Row]:
    environment = engine_environment(read_settings(os.environ)) | {"OPENBLAS_NUM_THREADS": "1"}
    for number, case in enumerate(CASES):
        child = subprocess.run(
            [sys.executable, "-m", "scripts.bench.memory.child", str(number)],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode != 0:
            raise RuntimeError(f"Case {number} ended with {child.returncode}:\n{child.stderr}")
        found = json.loads(child.stdout.splitlines()[-1])
        yield Row(described(case), found["parameters"], found["peak"], found["estimate"]).show()


async def app_measurements() -> list[Row]:
    """Of whole runs, from the preview to the process, in a data root of their own."""
    with tempfile.TemporaryDirectory() as folder:
        services = build_services(read_settings({"DROID_PYTHON": sys.executable}, data_dir=folder))
        return [await _app_row(services, case) for case in APP_CASES]


async def _app_row(services: Services, case: AppCase) -> Row:
    data = CHECKOUT / "test_data" / "demo" / case.data
    request = StandardStart(
        model_path=str(DEMO), train_data_path=str(data / "train.jsonl"),
        val_data_path=str(data / "valid.jsonl"), batch_size=case.batch,
        max_seq_length=case.length, iterations=case.steps, steps_per_report=1,
        steps_per_eval=case.steps + 1, grad_checkpoint=case.checkpoint, overwrite=True,
    )  # fmt: skip
    shown = await services.training.preview(request)
    assert shown.memory is not None and shown.lora is not None  # noqa: S101 - the model is ours
    peak = await peak_of(services, request)
    weights = shown.lora.total_parameters
    return Row(described_app(case), weights, peak, shown.memory.estimate_gb * 1e9).show()


def described_app(case: AppCase) -> str:
    said = [f"demo/{case.data}", f"batch {case.batch}", f"at most {case.length} tokens"]
    said += ["checkpointing"] if case.checkpoint else []
    return ", ".join([*said, f"{case.steps} steps"])


def described(case: Case) -> str:
    """The case in a line: what differs from plain LoRA on every matrix is named."""
    said = [f"{case.kind} {case.hidden}×{case.layers}", f"{case.batch}×{case.length} tokens"]
    said.append("full" if case.fine_tune == "full" else f"{case.fine_tune} r{case.rank}")
    said += ["checkpointing"] if case.checkpoint else []
    said += [case.keys] if case.keys != "full" else []
    said += [f"top {case.top}"] if case.top > 0 else []
    said += [f"accumulate {case.accumulate}"] if case.accumulate > 1 else []
    said += [case.dtype] if case.dtype != "float32" else []
    said += [case.optimizer] if case.optimizer != "adamw" else []
    return ", ".join(said)


def _table(rows: list[Row]) -> str:
    lines = ["| run | weights | peak | estimate | ratio | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row.case} | {row.weights / 1e6:.1f}M | {row.peak / 1e6:.1f} MB | "
            f"{row.estimate / 1e6:.1f} MB | {row.ratio:.2f} | {'yes' if row.met else '**no**'} |"
        )
    return "\n".join(lines) + "\n"
