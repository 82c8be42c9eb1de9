"""Measure, print, and with `--write` keep the result in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from scripts.bench.bad_rows import bad_rows
from scripts.bench.exports.against_fuse import bench_exports
from scripts.bench.first_run import first_run
from scripts.bench.inference import bench_inference
from scripts.bench.lengths import bench_lengths
from scripts.bench.loss.bench import bench_loss
from scripts.bench.machine import machine
from scripts.bench.measures import Measure, page, server, speed
from scripts.bench.memory.estimates import bench_memory
from scripts.bench.memory.steps import soak_training
from scripts.bench.page import PAGE, shown_value, table, with_head
from scripts.bench.peers.bench import bench_peers
from scripts.bench.peers.first_metric import sooner
from scripts.bench.ranks.scaling import bench_ranks
from scripts.bench.requests import requests
from scripts.bench.sessions import bench_sessions
from scripts.bench.soak import soak_inference

_HEAD = """# Benchmarks

Written by `npm run bench -- --write`. The app's run and plain `mlx_lm lora --config` on the same
YAML train the bundled demo model in turn, in the same environment; a ratio of 1 means that the app
costs nothing. Absolute numbers say something about this machine only.

"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="npm run bench --")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each kind (5)")
    parser.add_argument("--requests", type=int, default=1000, help="questions of the soak (1000)")
    parser.add_argument("--small", action="store_true", help="peers: only to see that it works")
    parser.add_argument("--write", action="store_true", help="keep the result in docs/")
    parser.add_argument(
        "what", nargs="?", default="app",
        choices=["app", "memory", "lengths", "loss", "inference", "soak", "exports", "ranks",
                 "sessions", "sooner", "steps",
                 "peers"],
        help="the app against plain mlx_lm, the memory estimate, rows of mixed length, the "
        "loss of learned positions, the inference worker against fresh processes, its memory over "
        "many questions, exports against mlx_lm fuse, one run in one process and in two, ten "
        "thousand sessions and a run of a hundred thousand reports, how soon a run begins, a run's "
        "memory over many steps, or the app against other trainers",
    )  # fmt: skip
    args = parser.parse_args()
    # What is measured ends its servers on the way out, which a signal alone would skip.
    signal.signal(signal.SIGTERM, _end)
    if args.what == "exports":
        return bench_exports(pairs=args.pairs, write=args.write)
    if args.what == "sessions":
        return bench_sessions(write=args.write)
    if args.what == "ranks":
        return bench_ranks(pairs=args.pairs, write=args.write)
    if args.what == "inference":
        return bench_inference(pairs=args.pairs, write=args.write)
    if args.what == "soak":
        return soak_inference(args.requests, write=args.write)
    if args.what == "peers":
        return bench_peers(rounds=args.pairs, write=args.write, small=args.small)
    if args.what == "steps":
        return soak_training(write=args.write)
    if args.what == "memory":
        return bench_memory(write=args.write)
    if args.what == "lengths":
        return bench_lengths(seeds=args.pairs, write=args.write)
    if args.what == "loss":
        return bench_loss(write=args.write)
    measures: list[Measure] = []
    app = (page(), server(), requests(), first_run(), bad_rows(), speed(args.pairs))
    for part in (*(app if args.what == "app" else ()), sooner(args.pairs)):
        for measure in part:
            print(f"  {measure.name:<40} {shown_value(measure)}   {_verdict(measure)}")
            measures.append(measure)
    where = machine()
    print(f"\n  {where}")
    if args.write and args.what == "app":
        text = PAGE.read_text(encoding="utf-8")
        head = f"{_HEAD}{where}\n\n{table(measures)}"
        PAGE.write_text(with_head(text, head), encoding="utf-8")
        print(f"  wrote {PAGE.name}")
    return 0 if all(measure.good for measure in measures) else 1


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


def _verdict(measure: Measure) -> str:
    limit = f"{'at least' if measure.at_least else 'at most'} {measure.limit:g} {measure.unit}"
    return f"{'ok' if measure.good else 'MISSED'} ({limit}; {measure.detail})"


if __name__ == "__main__":
    sys.exit(main())
