"""The demo run in one process and in two, in turn, into docs/benchmarks.md."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.training.lora.groups import SEVEN
from scripts.bench.machine import machine
from scripts.bench.page import write_section
from scripts.experiments.runs import make_run, train
from scripts.setup.stamps import CHECKOUT

SECTION = "Several processes"
MOST_APART = 1e-3  # Of the losses: the same to three digits, as rounding grows with the steps.
_DATA = CHECKOUT / "test_data" / "demo" / "chat"
_STEPS = 24
_PROCESSES = (1, 2)
_HEAD = """Written by `npm run bench -- ranks --write`. The demo model (LoRA rank 4, batch of 8) is
trained by one process and by two on the loopback ring of this machine, in turn, with one BLAS
thread each. Both share the machine's cores, so this shows what communication and launcher cost, and
says nothing about several machines: see [distributed training](distributed.md).

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """Tokens per second (median of the reports but the first), losses, and the first peak in GB."""

    speed: float
    losses: tuple[float, ...]
    memory: float


def bench_ranks(*, pairs: int, write: bool) -> int:
    """Print and with `write` keep it; 1 when the losses of both differ."""
    found: dict[int, list[Scaled]] = {count: [] for count in _PROCESSES}
    with tempfile.TemporaryDirectory(prefix="droid-ranks-") as folder:
        for number in range(pairs):
            for count in _PROCESSES:
                found[count].append(_run(Path(folder) / "root", count, seed=number))
                last = found[count][-1]
                print(f"  {count} processes: {last.speed:.0f} tokens/s, loss {last.losses[-1]:.4f}")
    apart = losses_apart(found[1], found[2])
    where = machine()
    print(f"  losses differ by at most {apart:.1e}\n\n  {where}")
    if write:
        write_section(SECTION, f"{_HEAD}{where}\n\n{report(found, apart)}")
    return 0 if apart <= MOST_APART else 1


def losses_apart(one: list[Scaled], two: list[Scaled]) -> float:
    """The largest difference of the same report of the same seed, as a share."""
    return max(
        abs(a - b) / abs(a)
        for left, right in zip(one, two, strict=True)
        for a, b in zip(left.losses, right.losses, strict=True)
    )


def report(found: dict[int, list[Scaled]], apart: float) -> str:
    """A row for each number of processes, as Markdown."""
    base = statistics.median(each.speed for each in found[1])
    rows = ["| processes | tokens per second | against one | last loss | peak of the first |",
            "|---|---|---|---|---|"]  # fmt: skip
    for count, runs in found.items():
        speeds = [each.speed for each in runs]
        rows.append(
            f"| {count} | {statistics.median(speeds):.0f} ({min(speeds):.0f} to {max(speeds):.0f}) "
            f"| {statistics.median(speeds) / base:.2f} × | {runs[-1].losses[-1]:.4f} "
            f"| {max(each.memory for each in runs):.3f} GB |"
        )
    runs_each = len(found[1])
    return "\n".join(rows) + (
        f"\n\nMedians of {runs_each} runs each. The losses of the same seed differ by at most "
        f"{apart:.1e} of their value.\n"
    )


def _run(root: Path, processes: int, *, seed: int) -> Scaled:
    more: dict[str, Any] = {"distributed": {"processes": processes}} if processes > 1 else {}
    run = make_run(
        root, _DATA, SEVEN, seed=seed, iterations=_STEPS, batch_size=8, max_seq_length=256,
        steps_per_report=4, steps_per_eval=10_000, val_batches=1, save_every=10_000,
        grad_checkpoint=False, lora_rank=4, lora_alpha=4.0, learning_rate=1e-4, **more,
    )  # fmt: skip
    reports = [event for event in train(run) if event["type"] == "metrics"]
    return Scaled(
        speed=statistics.median(event["tokens_per_second"] for event in reports[1:]),
        losses=tuple(event["train_loss"] for event in reports),
        memory=max(event["peak_memory_gb"] for event in reports),
    )
