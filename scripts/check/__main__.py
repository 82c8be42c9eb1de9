"""Run a suite of steps: `python -m scripts.check [lint | check | unit | engine | e2e | all]`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.check.browser import require_browser
from scripts.check.steps import SUITES, Step, steps_of
from scripts.setup.stamps import CHECKOUT
from scripts.setup.terminal import SetupFailed

_LIMIT = 60 * 60.0
_RESULTS = CHECKOUT / "test-results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.check")
    parser.add_argument("suite", choices=list(SUITES), nargs="?", default="all")
    parser.add_argument("--only", help="run the steps whose name holds this text")
    args = parser.parse_args()
    steps = [step for step in steps_of(args.suite) if (args.only or "") in step.name]
    _RESULTS.mkdir(exist_ok=True)
    try:
        browser = require_browser() if any(step.browser for step in steps) else None
    except SetupFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    failed = [step for step in steps if not _passes(step, browser)]
    for step in failed:
        print(f"\n──── {step.name}: {' '.join(step.command)}\n")
        print(_log(step).read_text(encoding="utf-8", errors="replace").rstrip())
    print(f"\n{len(steps) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _passes(step: Step, browser: Path | None) -> bool:
    print(f"  {step.name:<20}", end="", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as empty, _log(step).open("wb") as log:
        code = _run(step, _environment(step, browser, Path(empty)), log.fileno())
    print(f"{'ok' if code == 0 else 'FAILED':<8}{time.monotonic() - started:6.1f} s", flush=True)
    return code == 0


def _log(step: Step) -> Path:
    return _RESULTS / f"{step.name.replace(' ', '-')}.log"


def _environment(step: Step, browser: Path | None, empty: Path) -> dict[str, str]:
    """Without this user's own DROID_ settings; the same everywhere otherwise."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DROID_")}
    env |= {"CI": "1", "NO_COLOR": "1", **step.env}
    env.pop("FORCE_COLOR", None)
    if step.browser and browser is not None:
        env |= {"DROID_BROWSER": str(browser), "CHROME_PATH": str(browser)}
    if step.alone:
        for name in ("home", "data"):
            (empty / name).mkdir()
        env |= {"HOME": str(empty / "home"), "DROID_DATA_DIR": str(empty / "data")}
    return env


def _run(step: Step, env: dict[str, str], log: int) -> int:
    try:
        process = subprocess.Popen(
            step.command,
            cwd=CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as problem:
        os.write(log, f"{step.command[0]} can't be started: {problem}\n".encode())
        return 127
    try:
        return process.wait(_LIMIT)
    except subprocess.TimeoutExpired:
        os.write(log, f"\nEnded after {_LIMIT / 60:.0f} minutes.\n".encode())
        return 124
    finally:
        # The whole session that was started here: nothing of a broken-off step stays behind.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
