"""The first half: runs with any Python, sets up, and hands over to the environment's own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from scripts.setup.stamps import CHECKOUT
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
        if options.repair:
            require_ended(Path(os.environ.get("DROID_DATA_DIR") or CHECKOUT))
        python_environment("cuda" if options.cuda else None, afresh=options.repair)
        user_interface()
        electron = desktop_window() if options.window and has_display() else None
    except SetupFailed as problem:
        print(f"\nSetup stopped. {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before the setup was done; the next start goes on from here.")
        return 130
    return _hand_over(electron)


def require_ended(data_root: Path) -> None:
    """Raise SetupFailed while a service works with the environment that is to be made anew."""
    try:
        holder = json.loads((data_root / "sessions" / "server.lock").read_text(encoding="utf-8"))
        os.kill(int(holder["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return
    raise SetupFailed(
        f"The app is running (process {holder['pid']}), so its environment can't be made anew. "
        "End it with ./killmlxnew, then try again."
    )


def _hand_over(electron: Path | None) -> NoReturn:
    if electron is not None:
        os.environ["DROID_ELECTRON"] = str(electron)
    os.execv(PYTHON, [str(PYTHON), "-m", "scripts.start.serve", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
