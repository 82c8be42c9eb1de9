"""Does a run's process keep its size over two thousand steps of rows of very different length?"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.contract.run.folder import EVENTS
from backend.core.disk.files import JsonlTail
from backend.training.lora.groups import SEVEN
from scripts.bench.machine import machine
from scripts.bench.page import write_section
from scripts.experiments.runs import environment, make_run
from scripts.setup.stamps import CHECKOUT

STEPS, SETTLED, LIMIT = 2000, 200, 1.02
_DATA = CHECKOUT / "test_data" / "demo" / "mixed"
_EVERY = 0.05
_TITLE = "A run's memory over many steps"
_HEAD = """Written by `npm run soak:training -- --write`. The app's process trains the demo model on
`test_data/demo/mixed`, whose rows have 16 to 423 tokens, two at a time, with five validations;
*resident* is the median of what the process holds of the machine's memory over each 200 steps.
Wanted: at most 2 % above what the second 200 have.

"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes that the process holds, when `step` was the last one reported."""

    step: int
    resident: int


def soak_training(*, write: bool, steps: int = STEPS) -> int:
    """Train, print and with `write` keep it; 1 when the process grows by more than 2 %."""
    with tempfile.TemporaryDirectory(prefix="droid-soak-") as folder:
        sizes = windows(list(_samples(Path(folder), steps)))
    for end, size in sizes:
        print(f"  {end:>5} steps   resident {size / 1e6:.1f} MB")
    factor, where = growth(sizes), machine()
    good = factor <= LIMIT
    print(f"\n  highest ÷ second {SETTLED} steps: × {factor:.4f} "
          f"({'ok' if good else 'MISSED'}: at most {LIMIT})\n  {where}")  # fmt: skip
    if write:
        rows = [f"| {end} | {size / 1e6:.1f} MB |" for end, size in sizes]
        table = "\n".join(["| steps | resident |", "|---|---|", *rows])
        text = f"{_HEAD}{where}\n\n{table}\n\nHighest after the first {SETTLED}: × {factor:.4f}."
        write_section(_TITLE, text)
    return 0 if good else 1


def windows(samples: Sequence[Sample]) -> list[tuple[int, float]]:
    """The median size over each 200 steps, with the step that those end with."""
    last = max(sample.step for sample in samples)
    return [
        (end, statistics.median(chosen))
        for end in range(SETTLED, last + 1, SETTLED)
        if (chosen := [s.resident for s in samples if end - SETTLED <= s.step < end])
    ]


def growth(sizes: Sequence[tuple[int, float]]) -> float:
    """The largest after the first 200 steps, as a multiple of what the second 200 have."""
    settled = [size for end, size in sizes if end > SETTLED]
    return max(settled) / settled[0]


def _samples(root: Path, steps: int) -> Iterator[Sample]:
    run = make_run(
        root / "run", _DATA, SEVEN, iterations=steps, batch_size=2, max_seq_length=512,
        steps_per_report=10, steps_per_eval=steps // 5, val_batches=5, save_every=10_000,
        grad_checkpoint=False, lora_rank=8,
    )  # fmt: skip
    (run / EVENTS).touch()
    tail = JsonlTail(run / EVENTS)
    with (root / "log").open("wb") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "backend.engines.sft", str(run)],
            cwd=CHECKOUT, env=environment(), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    step = 0
    while process.poll() is None:
        for event in tail.read():
            if event.get("type") == "metrics":
                step = int(event["step"])
        if step:
            try:
                yield Sample(step, int(process.memory_info().rss))
            except psutil.Error:
                break
        time.sleep(_EVERY)
    if process.wait() != 0:
        text = (root / "log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"The run ended with {process.returncode}:\n{text[-2000:]}")
