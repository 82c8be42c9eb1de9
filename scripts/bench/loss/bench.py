"""The loss of learned positions against that over all logits: memory and CPU time of a step."""

from __future__ import annotations

import json
import subprocess
import sys

from scripts.bench.loss.cases import CASES, Case
from scripts.bench.machine import machine
from scripts.bench.page import write_section
from scripts.experiments.runs import environment
from scripts.setup.stamps import CHECKOUT

_NAMES = ("all logits", "learned positions")
_TITLE = "The loss of learned positions"
_HEAD = """Written by `npm run bench -- loss --write`. One step of LoRA (rank 8, all linear layers,
float32): the loss over the logits of all positions, as mlx_lm computes it, against the app's, in
which only learned positions go through the output head, a few at a time. *Memory* is the peak above
the weights, *CPU* the fastest step of each, taken in turn.

"""


def bench_loss(*, write: bool) -> int:
    """Print the table; 1 when it is slower or takes more memory in any case."""
    lines = [
        "| model | positions learned | checkpointing | memory, MB | | CPU, s | | gradient apart |",
        "|---|---|---|---|---|---|---|---|",
        "| | | | all logits → learned | ratio | all logits → learned | ratio | |",
    ]
    met = True
    for number, case in enumerate(CASES):
        line, good = _line(case, number)
        print(f"  {line}")
        lines.append(line)
        met = met and good
    if write:
        write_section(_TITLE, _HEAD + machine() + "\n\n" + "\n".join(lines))
    return 0 if met else 1


def _line(case: Case, number: int) -> tuple[str, bool]:
    child = subprocess.run(
        [sys.executable, "-m", "scripts.bench.loss.child", str(number)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(child.stdout.splitlines()[-1])
    whole, few = (answer["results"][name] for name in _NAMES)
    memory, seconds = few["peak"] / whole["peak"], few["seconds"] / whole["seconds"]
    line = (
        f"| {case.name} | {case.share:.0%} of {case.batch} × {case.length} | "
        f"{'yes' if case.checkpoint else 'no'} | {whole['peak'] / 1e6:.0f} → "
        f"{few['peak'] / 1e6:.0f} | {memory:.2f} | {whole['seconds']:.2f} → {few['seconds']:.2f} | "
        f"{seconds:.2f} | {answer['gradient_error']:.0e} |"
    )
    return line, memory <= 1.02 and seconds <= 1 / 0.98
