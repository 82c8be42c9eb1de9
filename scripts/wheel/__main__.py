"""`npm run dist:wheel`: build the package into dist/; with `--prove`, install and run it too."""

from __future__ import annotations

import argparse
import sys

from scripts.setup.stamps import CHECKOUT
from scripts.setup.terminal import SetupFailed, step
from scripts.wheel.build import BadPackage, build, sizes
from scripts.wheel.proof import ProofFailed, prove

OUTPUT = CHECKOUT / "dist"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.wheel", description=__doc__)
    parser.add_argument("--prove", action="store_true", help="install it in an environment of its "
                        "own without Node, and train, ask and open the page there")  # fmt: skip
    args = parser.parse_args()
    try:
        with step("Building the Python package"):
            package = build(CHECKOUT, OUTPUT, python=sys.executable)
        for name, megabytes in sizes(package).items():
            print(f"    {name:<48}{megabytes:6.1f} MB")
        if args.prove:
            prove(package)
    except (SetupFailed, BadPackage, ProofFailed) as problem:
        print(f"\nThe package is not good. {problem}", file=sys.stderr)
        return 1
    print(f"  Install it: pip install '{package.wheel.relative_to(CHECKOUT)}[cpu]'")
    print("  ([cpu] on Linux, [cuda] there with an NVIDIA card, nothing on a Mac.)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
