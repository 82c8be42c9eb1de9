"""The options of `./startmlxnew`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    port: int | None
    window: bool
    demo: bool
    cuda: bool
    repair: bool


def read_options(argv: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="./startmlxnew",
        description="Set up what is missing or out of date, start Droid FineTuning and open it.",
        epilog="End it with Ctrl-C or ./killmlxnew. A training run goes on by itself and is found "
        "again at the next start.",
    )
    parser.add_argument("--port", type=int, help="where to listen; 0 picks a free one (8000)")
    parser.add_argument("--no-window", action="store_true", help="open neither window nor browser")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="train the demo model at once and print the result; with --no-window end after it",
    )
    parser.add_argument("--cuda", action="store_true", help="install mlx for NVIDIA cards (Linux)")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="make the Python environment anew first; end the app with ./killmlxnew before that",
    )
    args = parser.parse_args(argv)
    return Options(args.port, not args.no_window, args.demo, args.cuda, args.repair)
