"""Command line of the setup; see scripts/setup.sh."""

from __future__ import annotations

import argparse
import sys

from scripts.setup.steps import Flavour, node_packages, python_environment, user_interface
from scripts.setup.terminal import SetupFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/setup.sh")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dev", action="store_true", help="with the tools of the checks")
    kind.add_argument("--cuda", action="store_true", help="mlx for NVIDIA cards (Linux)")
    parser.add_argument("--no-ui", action="store_true", help="leave the user interface unbuilt")
    args = parser.parse_args()
    flavour: Flavour | None = "dev" if args.dev else "cuda" if args.cuda else None
    try:
        python_environment(flavour)
        if args.dev:
            node_packages()
        if not args.no_ui:
            user_interface()
    except SetupFailed as problem:
        print(f"\nSetup stopped. {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
