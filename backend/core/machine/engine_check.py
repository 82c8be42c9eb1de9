"""Whether the engines can compute, and how to install them again."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from backend.core.machine.blas import engine_environment
from backend.core.process import run_child
from backend.errors import AppError
from backend.settings import CHECKOUT, INSTALLED, Settings

_TRY = """import mlx.core as mx
ones = mx.ones((64, 64))
mx.eval(ones @ ones)
print(mx.default_device())"""


@dataclass(frozen=True, slots=True)
class Computation:
    """What came of a small matrix product: the device, or why there is none."""

    device: str | None
    problem: str | None = None


async def try_engine(settings: Settings) -> Computation:
    """Let the engines' Python multiply two matrices."""
    command = [str(settings.python), "-c", _TRY]
    try:
        env = await asyncio.to_thread(engine_environment, settings)
        done = await run_child(command, cwd=CHECKOUT, env=env, deadline=120)
    except AppError as problem:
        return Computation(None, problem.detail)
    if done.exit_code != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.exit_code}"])[-1]
        return Computation(None, f"It can't compute. {last}")
    device = done.stdout.decode(errors="replace").strip()
    return Computation(device) if device else Computation(None, "It did not name its device.")


def install_again() -> str:
    """What to do when an engine is missing, as a sentence."""
    if not INSTALLED:
        return "Run ./startmlxnew once; it installs what is missing."
    card = "" if sys.platform == "darwin" else " (or droid-finetuning[cuda] for an NVIDIA card)"
    return f"Install it again: pip install '{_package()}'{card}"


def repair_command() -> str:
    """The command that makes the engines' environment anew."""
    if INSTALLED:
        return f"pip install --force-reinstall '{_package()}'"
    return "./startmlxnew --repair"


def _package() -> str:
    return "droid-finetuning" if sys.platform == "darwin" else "droid-finetuning[cpu]"
