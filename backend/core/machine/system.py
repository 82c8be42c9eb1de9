"""What computer this is, for GET /system: engines, device, memory, and a sample of its load.

macOS and NVIDIA answers come from the programs those systems bring, without root. They were written
from their documentation and are tested with recorded answers: no Mac was at hand (docs/desktop.md).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import psutil

from backend import __version__
from backend.core.errand import run_errand
from backend.core.machine.blas import find_blas
from backend.core.machine.hardware import (
    apple_working_set,
    cpu_working_set,
    linux_chip,
    memory_limit,
    os_name,
    usable_cores,
)
from backend.core.machine.versions import ENGINES, engine_versions
from backend.core.schemas import SystemInfo
from backend.errors import AppError
from backend.settings import Settings

Device = Literal["Metal", "CUDA", "CPU"]
Ask = Callable[[Sequence[str]], str | None]

_ANSWER_WITHIN = 5.0
_DEVICES: dict[str, Device] = {"accelerate": "Metal", "cuda": "CUDA"}
_CUDA_SHARE = 0.9  # the driver and the kernels themselves take some of the card's memory


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A chip's name, what engines may use of its memory, and its load where it can be asked."""

    chip: str | None
    working_set: int | None
    gpu_percent: float | None
    thermal: str | None


def ask(argv: Sequence[str]) -> str | None:
    """What a system program prints; None where there is no such program or it fails."""
    try:
        done = run_errand(argv, deadline=_ANSWER_WITHIN)
    except AppError:
        return None
    return done.stdout.decode(errors="replace") if done.exit_code == 0 else None


def describe_system(settings: Settings) -> SystemInfo:
    blas = find_blas(settings)
    device = _DEVICES.get(blas.name, "CPU")
    python, versions = engine_versions(settings)
    accelerator = _accelerator(device)
    return SystemInfo(
        version=__version__,
        os=os_name(),
        python=python,
        chip=accelerator.chip,
        cores=usable_cores(),
        device=device,
        engines={name: versions[name] for name in ENGINES},
        blas=blas,
        memory_total=memory_limit(),
        memory_available=psutil.virtual_memory().available,
        recommended_working_set=accelerator.working_set,
        disk_free=disk_free(settings.data_dir),
        gpu_percent=accelerator.gpu_percent,
        thermal=accelerator.thermal,
        data_dir=str(settings.data_dir),
    )


def working_set(settings: Settings) -> int | None:
    """The bytes of memory that an engine may use here, as `describe_system` says it; for less."""
    return _accelerator(_DEVICES.get(find_blas(settings).name, "CPU")).working_set


def _accelerator(device: Device) -> Accelerator:
    if device == "Metal":
        return describe_apple(ask, memory_limit())
    if device == "CUDA":
        return describe_nvidia(ask)
    return Accelerator(_cpu_name(), cpu_working_set(memory_limit()), None, None)


def describe_apple(ask: Ask, memory: int) -> Accelerator:
    """Apple Silicon, from `sysctl`, `ioreg` and `pmset`."""
    chip = ask(["sysctl", "-n", "machdep.cpu.brand_string"])
    limit = ask(["sysctl", "-n", "iogpu.wired_limit_mb"]) or ""
    graphics = ask(["ioreg", "-r", "-d", "1", "-c", "IOAccelerator"]) or ""
    percent = re.search(r'"Device Utilization %"\s*=\s*(\d+)', graphics)
    return Accelerator(
        chip=chip.strip() if chip else None,
        working_set=apple_working_set(memory, int(limit) if limit.strip().isdigit() else 0),
        gpu_percent=float(percent.group(1)) if percent else None,
        thermal=read_pmset(ask(["pmset", "-g", "therm"])),
    )


def read_pmset(text: str | None) -> str | None:
    """`nominal`, or how far the processor is slowed down, from `pmset -g therm`."""
    if text is None:
        return None
    limit = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", text)
    if limit and int(limit.group(1)) < 100:
        return f"slowed to {limit.group(1)} %"
    warning = re.search(r"thermal warning level (?:is|set to) (\d+)", text, re.IGNORECASE)
    if warning and int(warning.group(1)) > 0:
        return f"warning level {warning.group(1)}"
    return "nominal"


def describe_nvidia(ask: Ask) -> Accelerator:
    """The first NVIDIA card, from `nvidia-smi`."""
    fields = "name,memory.total,utilization.gpu,temperature.gpu"
    output = ask(["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"])
    parts = [part.strip() for part in output.splitlines()[0].split(",")] if output else []
    if len(parts) != 4:
        return Accelerator(None, None, None, None)
    name, mebibytes, percent, degrees = parts
    return Accelerator(
        chip=name,
        working_set=int(int(mebibytes) * 2**20 * _CUDA_SHARE) if mebibytes.isdigit() else None,
        gpu_percent=float(percent) if percent.isdigit() else None,
        thermal=f"{degrees} °C" if degrees.isdigit() else None,
    )


@lru_cache(maxsize=1)
def _cpu_name() -> str | None:
    if sys.platform != "linux":
        return None
    try:
        return linux_chip(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        return None


def disk_free(folder: Path) -> int | None:
    """Of the nearest folder that exists: the data root is made at the first write."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            return int(psutil.disk_usage(str(place)).free)
    return None
