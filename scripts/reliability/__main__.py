"""`npm run reliability`: at least 200 kills of the server, the engine or both; 1 if one broke.
`npm run reliability -- --exports 20` kills exports instead of runs.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from scripts.reliability.exports import export_kill_loop, plan_export_kill
from scripts.reliability.loop import kill_loop
from scripts.reliability.plan import plan_kill


def main() -> int:
    parser = argparse.ArgumentParser(prog="npm run reliability --")
    parser.add_argument("--kills", type=int, default=210, help="how many (210: ten of each kind)")
    parser.add_argument("--seed", type=int, help="of an earlier loop, to repeat it")
    parser.add_argument("--first", type=int, default=0, help="number of the first kill (0)")
    parser.add_argument("--minutes", type=float, help="end after that long, with fewer kills")
    parser.add_argument("--exports", type=int, help="kill that many exports, instead of runs")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else secrets.randbelow(10**6)
    print(f"  seed {seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="droid-reliability-"))
    if args.exports is not None:
        return _kill_exports(root, seed, range(args.first, args.first + args.exports))
    started, done = time.monotonic(), 0
    try:
        with kill_loop(root / "data root") as loop:
            for number in range(args.first, args.first + args.kills):
                if args.minutes and time.monotonic() - started > 60 * args.minutes:
                    break
                kill = plan_kill(seed, number)
                print(f"  {number:>4}  {kill}", end=" ... ", flush=True)
                print(loop.once(kill), flush=True)
                done += 1
            points = loop.points
    except Exception:  # noqa: BLE001 - What broke is kept, with the way to see it again.
        print("BROKEN", flush=True)
        traceback.print_exc()
        print(f"\n  kill {args.first + done} of seed {seed} broke; what is left: {root}")
        return 1
    seconds = time.monotonic() - started
    print(f"\n  {done} kills, {points} points of charts, nothing lost, {seconds:.0f} s")
    return 0


def _kill_exports(root: Path, seed: int, numbers: Sequence[int]) -> int:
    started, number = time.monotonic(), -1
    try:
        with export_kill_loop(root / "data root") as loop:
            for number in numbers:
                kill = plan_export_kill(seed, number)
                print(f"  {number:>4}  {kill}", end=" ... ", flush=True)
                print(loop.once(kill), flush=True)
            hit = loop.hit
    except Exception:  # noqa: BLE001 - as above
        print("BROKEN", flush=True)
        traceback.print_exc()
        print(f"\n  kill {number} of seed {seed} broke; what is left: {root}")
        return 1
    seconds = time.monotonic() - started
    print(
        f"\n  {len(numbers)} exports, {hit} of them killed at work; nothing half-finished, sources "
        f"as before, {seconds:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
