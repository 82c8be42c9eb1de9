"""`python -m scripts.lora_keys`: look at every architecture, write the page and the recording."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from scripts.lora_keys.page import page
from scripts.lora_keys.record import Found, pack
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "lora-keys.md"
RECORD = CHECKOUT / "tests" / "scripts" / "lora_trees.jsonl"
_TIMED_CONFIG = "tests/training/lora/configs/qwen2.5-0.5b.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.lora_keys")
    parser.add_argument("--time", action="store_true", help="time the child on a 0.5B model only")
    if parser.parse_args().time:
        wall, computed = seconds_of_child()
        print(f"  The tree of a 0.5B model took {wall:.2f} s, of which {computed:.2f} s computing.")
        return 0
    found = survey()
    RECORD.write_text(pack(found), encoding="utf-8")
    PAGE.write_text(page(found, engine=version("mlx-lm")), encoding="utf-8")
    failed = [one["name"] for one in found if "error" in one]
    print(f"  {len(found) - len(failed)} trees; not built: {', '.join(failed) or 'none'}.")
    print(f"  wrote {PAGE.relative_to(CHECKOUT)} and {RECORD.relative_to(CHECKOUT)}")
    return 0


def survey() -> list[Found]:
    """Build them all in a child, as the server does for one."""
    child = subprocess.run(
        [sys.executable, "-m", "scripts.lora_keys.survey"],
        cwd=CHECKOUT,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != 0:
        raise RuntimeError(f"The survey ended with {child.returncode}:\n{child.stderr[-2000:]}")
    return [json.loads(line) for line in child.stdout.splitlines()]


def seconds_of_child() -> tuple[float, float]:
    """How long the app's own child takes for Qwen2.5-0.5B, imports and all: real and CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        config = (CHECKOUT / _TIMED_CONFIG).read_text(encoding="utf-8")
        (Path(folder) / "config.json").write_text(config, encoding="utf-8")
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "backend.engines.modules"],
            cwd=CHECKOUT,
            env=_environment(),
            input=json.dumps({"model": folder}),
            capture_output=True,
            text=True,
            check=True,
        )
        after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return after.elapsed - before.elapsed, used


def _environment() -> dict[str, str]:
    # One thread: the matrices are tiny, and threads that wait for each other cost more.
    return engine_environment(read_settings(os.environ)) | {"OPENBLAS_NUM_THREADS": "1"}


if __name__ == "__main__":
    sys.exit(main())
