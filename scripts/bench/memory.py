"""The memory estimate against real peaks, case by case, into docs/memory-estimate.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from backend.core.blas import engine_environment
from backend.settings import read_settings
from scripts.bench.machine import machine
from scripts.bench.memory_cases import CASES, Case
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "memory-estimate.md"
UNDER, OVER = 0.9, 1.15
_HEAD = """# The memory estimate against measured peaks

Written by `npm run bench -- memory --write`. Random models are trained for two updates through
mlx_lm's own loop; *peak* is what its allocator says, *estimate* what the app shows before a run, at
rows that fill the length. The factors of `backend/training/memory.py` were fitted to the runs in
`tests/training/test_memory.py`; of those below, only the one marked so. Wanted: within 15 %, and
never more than 10 % under.

"""


def bench_memory(*, write: bool) -> int:
    """Measure, print and with `write` keep it; 1 when a case misses its limits."""
    rows = []
    for case, measured in measurements():
        ratio = measured["estimate"] / measured["peak"]
        print(f"  {described(case):<64} {measured['peak'] / 1e6:7.1f} MB   × {ratio:.2f}")
        rows.append((case, measured, ratio))
    text = machine()
    print(f"\n  {text}")
    if write:
        PAGE.write_text(_HEAD + _table(rows, text), encoding="utf-8")
        print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0 if all(UNDER <= ratio <= OVER for _, _, ratio in rows) else 1


def measurements() -> Iterator[tuple[Case, dict[str, Any]]]:
    environment = engine_environment(read_settings(os.environ)) | {"OPENBLAS_NUM_THREADS": "1"}
    for number, case in enumerate(CASES):
        child = subprocess.run(
            [sys.executable, "-m", "scripts.bench.memory_child", str(number)],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode != 0:
            raise RuntimeError(f"Case {number} ended with {child.returncode}:\n{child.stderr}")
        yield case, json.loads(child.stdout.splitlines()[-1])


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
    said += ["*fitted*"] if case.fitted else []
    return ", ".join(said)


def _table(rows: list[tuple[Case, dict[str, Any], float]], text: str) -> str:
    lines = [
        text + "\n",
        "| run | weights | peak | estimate | ratio | met |",
        "|---|---|---|---|---|---|",
    ]
    for case, measured, ratio in rows:
        lines.append(
            f"| {described(case)} | {measured['parameters'] / 1e6:.1f}M | "
            f"{measured['peak'] / 1e6:.1f} MB | {measured['estimate'] / 1e6:.1f} MB | "
            f"{ratio:.2f} | {'yes' if UNDER <= ratio <= OVER else '**no**'} |"
        )
    return "\n".join(lines) + "\n"
