"""The first half: runs with any Python, sets up, and hands over to the environment's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from scripts.setup.steps import (
    PYTHON,
    desktop_window,
    has_display,
    python_environment,
    user_interface,
)
from scripts.setup.terminal import SetupFailed
from scripts.start.options import read_options


def main() -> int:
    options = read_options(sys.argv[1:])
    try:
        python_environment("cuda" if options.cuda else None)
        user_interface()
        electron = desktop_window() if options.window and has_display() else None
    except SetupFailed as problem:
        print(f"\nSetup stopped. {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before the setup was done; the next start goes on from here.")
        return 130
    return _hand_over(electron)


def _hand_over(electron: Path | None) -> NoReturn:
    if electron is not None:
        os.environ["DROID_ELECTRON"] = str(electron)
    os.execv(PYTHON, [str(PYTHON), "-m", "scripts.start.serve", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
