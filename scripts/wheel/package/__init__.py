"""Droid FineTuning as an installed package: a checkout's folders in this one, and its commands.

`backend` stays a top-level name for whoever starts it (`python -m backend.engines.<name>`), and is
found in this folder alone, so it meets no other package of that name.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """The command `droid-finetuning`."""
    return _run(sys.argv[1:])


def convert_to_grpo() -> int:
    """`droid-finetuning convert_to_grpo`."""
    return _run(["convert_to_grpo", *sys.argv[1:]])


def download_gspo_datasets() -> int:
    """`droid-finetuning download_gspo_datasets`."""
    return _run(["download_gspo_datasets", *sys.argv[1:]])


def check_training_error() -> int:
    """`droid-finetuning check_training_error`."""
    return _run(["check_training_error", *sys.argv[1:]])


def _run(argv: list[str]) -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from backend.cli.main import main as run

    return run(argv)
