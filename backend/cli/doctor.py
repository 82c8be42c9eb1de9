"""`doctor`: whether this machine can train, each check with what to do where it can't."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from backend import __version__
from backend.cli import exits
from backend.cli.context import Commands, Context

_SIGNS = {"ok": "✓", "warning": "!", "problem": "✗"}


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "doctor", parents=[common], help="check this machine, and say what to do",
        description="Check Python, MLX, BLAS, Metal, disk, folders and the port, and say what to "
        "do where something is wrong. Ends with 1 if there is a problem. Starts no service.",
    )  # fmt: skip
    parser.set_defaults(run=doctor)


def doctor(context: Context) -> int:
    from backend.cli.checks import examine  # Slow to import, and needed here alone.

    checks = list(examine(context.settings, url=context.url))
    worst = any(check.level == "problem" for check in checks)
    context.out.value({
        "version": __version__, "healthy": not worst, "checks": [asdict(check) for check in checks],
    })  # fmt: skip
    for check in checks:
        context.out.text(f"{_SIGNS[check.level]} {check.name:<9}{check.found}")
        if check.remedy:
            context.out.text(f"  {'':<9}{check.remedy}")
    count = sum(check.level == "problem" for check in checks)
    context.out.text("This machine can train." if not worst else f"Problems: {count}.")
    return exits.FAILED if worst else exits.OK
