"""Measure, print, and with `--write` keep the result in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys

from scripts.bench.first_run import first_run
from scripts.bench.inference import bench_inference
from scripts.bench.lengths import bench_lengths
from scripts.bench.loss.bench import bench_loss
from scripts.bench.machine import machine
from scripts.bench.measures import Measure, page, server, speed
from scripts.bench.memory.estimates import bench_memory
from scripts.bench.requests import requests
from scripts.bench.soak import soak_inference
from scripts.setup.stamps import CHECKOUT

_PAGE = CHECKOUT / "docs" / "benchmarks.md"
_DIGITS = {"×": 3, "s": 3, "ms": 1}
_HEAD = """# Benchmarks

Written by `npm run bench -- --write`. The app's run and plain `mlx_lm lora --config` on the same
YAML train the bundled demo model in turn, in the same environment; a ratio of 1 means that the app
costs nothing. Absolute numbers say something about this machine only.

"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="npm run bench --")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each kind (5)")
    parser.add_argument("--requests", type=int, default=1000, help="questions of the soak (1000)")
    parser.add_argument("--write", action="store_true", help="keep the result in docs/")
    parser.add_argument(
        "what", nargs="?", choices=["app", "memory", "lengths", "loss", "inference", "soak"],
        default="app",
        help="the app against plain mlx_lm, the memory estimate, rows of mixed length, the "
        "loss of learned positions, the inference worker against fresh processes, or its memory "
        "over many questions",
    )  # fmt: skip
    args = parser.parse_args()
    if args.what == "inference":
        return bench_inference(pairs=args.pairs, write=args.write)
    if args.what == "soak":
        return soak_inference(args.requests, write=args.write)
    if args.what == "memory":
        return bench_memory(write=args.write)
    if args.what == "lengths":
        return bench_lengths(seeds=args.pairs, write=args.write)
    if args.what == "loss":
        return bench_loss(write=args.write)
    measures: list[Measure] = []
    for part in (page(), server(), requests(), first_run(), speed(args.pairs)):
        for measure in part:
            print(f"  {measure.name:<40} {_value(measure)}   {_verdict(measure)}")
            measures.append(measure)
    where = machine()
    print(f"\n  {where}")
    if args.write:
        _PAGE.write_text(_HEAD + _report(measures, where), encoding="utf-8")
        print(f"  wrote {_PAGE.relative_to(CHECKOUT)}")
    return 0 if all(measure.good for measure in measures) else 1


def _value(measure: Measure) -> str:
    return f"{measure.value:.{_DIGITS.get(measure.unit, 0)}f} {measure.unit}"


def _verdict(measure: Measure) -> str:
    limit = f"{'at least' if measure.at_least else 'at most'} {measure.limit:g} {measure.unit}"
    return f"{'ok' if measure.good else 'MISSED'} ({limit}; {measure.detail})"


def _report(measures: list[Measure], where: str) -> str:
    rows = [
        f"| {m.name} | {_value(m)} | {'≥' if m.at_least else '≤'} {m.limit:g} {m.unit} | "
        f"{'yes' if m.good else '**no**'} | {m.detail} |"
        for m in measures
    ]
    table = ["| measure | result | limit | met | how |", "|---|---|---|---|---|", *rows]
    return f"{where}\n\n" + "\n".join(table) + "\n"


if __name__ == "__main__":
    sys.exit(main())
