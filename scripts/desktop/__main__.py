"""`npm run dist`: pack the desktop app for this platform; with `--dir`, unpacked and checked."""

from __future__ import annotations

import argparse
import os
import sys

from scripts.desktop.node import node_for_packaging
from scripts.desktop.pack import PACKAGING, RELEASE, fill_service, has_electron, notes
from scripts.setup.stamps import CHECKOUT
from scripts.setup.terminal import SetupFailed, run, step
from scripts.wheel.build import BadPackage, build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.desktop", description=__doc__)
    parser.add_argument("--dir", action="store_true", help="no installer: the folder that it holds")
    args = parser.parse_args()
    stub = args.dir and not has_electron() and sys.platform == "linux"
    for note in notes(os.environ, unpacked=args.dir, stub=stub):
        print(f"  {note}")
    try:
        with step("Building the Python package"):
            wheel = build(CHECKOUT, CHECKOUT / "dist", python=sys.executable).wheel
        fill_service(wheel)
        with step("Installing the packager"):
            node = node_for_packaging(os.environ)
            run(["npm", "ci", "--prefix", PACKAGING])
        with step("Building the shell"):
            run(["npm", "run", "--silent", "build", "--workspace", "electron"])
        with step("Packing"):
            flags = [name for name, on in (("--dir", args.dir), ("--stub", stub)) if on]
            run([node, PACKAGING / "pack.mjs", *flags])
    except (SetupFailed, BadPackage) as problem:
        print(f"\nThe desktop app was not packed. {problem}", file=sys.stderr)
        return 1
    print(f"  It is in {RELEASE.relative_to(CHECKOUT)}/; contents and fuses are as they must be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
