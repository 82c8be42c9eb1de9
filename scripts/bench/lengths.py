"""Steps in parts of like length against the engine's own, on rows of very different length."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from backend.training.lora.groups import SEVEN
from scripts.bench.machine import machine
from scripts.bench.runs import rows
from scripts.experiments.runs import environment, make_run, train
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks-lengths.md"
WANTED = 1.3
_DATA = CHECKOUT / "test_data" / "demo" / "mixed"
_STEPS = 50  # At 8 rows: one pass over the 400 rows.
_HEAD = """# Steps in parts of like length

Written by `npm run bench -- lengths --write`. `test_data/demo/mixed` has rows of very different
length. The app's run and plain `mlx_lm lora --config` on the very same YAML train the demo model,
in turn, per seed. The app pads the short and the long rows of a step apart; the step's loss and
gradient are those of the whole. *Loss* is that of the last weights on the validation rows, measured
for both by the same code.

"""


@dataclass(frozen=True, slots=True)
class Result:
    """Trained tokens per second, and the loss of the last weights."""

    speed: float
    loss: float


def bench_lengths(*, seeds: int, write: bool) -> int:
    """Print the ratio and both losses; 1 when the ratio is under WANTED."""
    ours: list[Result] = []
    plain: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="droid-lengths-") as folder:
        for seed in range(seeds):
            root = Path(folder) / str(seed)
            ours.append(_app(root, seed))
            plain.append(_plain(root))
            print(f"  seed {seed}: app {_said(ours[-1])}; plain {_said(plain[-1])}")
    ratios = [a.speed / b.speed for a, b in zip(ours, plain, strict=True)]
    middle = statistics.median(ratios)
    print(f"  tokens per second: median × {middle:.2f} (wanted {WANTED})")
    if write:
        PAGE.write_text(_HEAD + _report(ours, plain, middle), encoding="utf-8")
        print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0 if middle >= WANTED else 1


def _app(root: Path, seed: int) -> Result:
    run = make_run(
        root, _DATA, SEVEN, seed=seed, iterations=_STEPS, batch_size=8, max_seq_length=512,
        steps_per_report=10, steps_per_eval=10_000, val_batches=1, save_every=10_000,
        grad_checkpoint=False, lora_rank=16, lora_alpha=16.0, lora_scaling="alpha_over_rank",
        learning_rate=1e-3,
    )  # fmt: skip
    speeds = [e["tokens_per_second"] for e in train(run) if e["type"] == "metrics"]
    return Result(_mean(speeds), _loss(root / "adapter"))


def _plain(root: Path) -> Result:
    config = root / "plain.yaml"
    adapter = root / "plain"
    text = (root / "run" / "config.yaml").read_text(encoding="utf-8")
    config.write_text(text.replace(str(root / "adapter"), str(adapter)), encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-m", "mlx_lm", "lora", "--config", str(config)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return Result(_mean(rows(said)), _loss(adapter))


def _mean(speeds: list[float]) -> float:
    """Of the reports but the first, weighted by time: each report is of as many steps."""
    return statistics.harmonic_mean(speeds[1:])


def _loss(adapter: Path) -> float:
    child = subprocess.run(
        [sys.executable, "-m", "scripts.bench.loss.held_out", str(adapter), str(_DATA)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(json.loads(child.stdout.splitlines()[-1])["loss"])


def verdict(ours: list[float], plain: list[float]) -> str:
    """Whether the means of the losses differ by more than two standard errors of the difference."""
    if min(len(ours), len(plain)) < 2:
        return "One seed says nothing of the noise."
    apart = statistics.fmean(ours) - statistics.fmean(plain)
    error = math.hypot(*(statistics.stdev(one) / math.sqrt(len(one)) for one in (ours, plain)))
    if abs(apart) <= 2 * error:
        return f"They differ by {apart:+.4f}, within two standard errors ({2 * error:.4f})."
    return f"They differ by {apart:+.4f}, which is more than two standard errors ({2 * error:.4f})."


def _said(result: Result) -> str:
    return f"{result.speed:.0f} tokens/s, loss {result.loss:.3f}"


def _report(ours: list[Result], plain: list[Result], middle: float) -> str:
    lines = [
        machine() + "\n",
        "| seed | app, tokens/s | plain, tokens/s | ratio | app, loss | plain, loss |",
        "|---|---|---|---|---|---|",
    ]
    for seed, (a, b) in enumerate(zip(ours, plain, strict=True)):
        lines.append(
            f"| {seed} | {a.speed:.0f} | {b.speed:.0f} | {a.speed / b.speed:.2f} | {a.loss:.3f} | "
            f"{b.loss:.3f} |"
        )
    losses = [[one.loss for one in results] for results in (ours, plain)]
    spread = [f"{statistics.fmean(one):.3f} ± {statistics.pstdev(one):.3f}" for one in losses]
    lines.append(
        f"\nMedian ratio {middle:.2f} (wanted {WANTED}); mean loss {spread[0]} with the app, "
        f"{spread[1]} plain. {verdict(*losses)}"
    )
    return "\n".join(lines) + "\n"
