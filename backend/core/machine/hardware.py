"""Facts about this computer that both the engines' environment and GET /system need.

Each reads one place of the operating system and answers None where it does not say. The macOS
ones run only there; their parsing is tested with recorded answers, not on a Mac.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import psutil

# Apple lets the GPU wire this share of the memory by default; above 36 GB it is the larger one.
_APPLE_SHARE_SMALL = 2 / 3
_APPLE_SHARE_LARGE = 3 / 4
_APPLE_LARGE_FROM = 36 * 2**30
# On a CPU nothing is reserved by the driver: leave a fifth to the system and to this server.
_CPU_SHARE = 0.8


def usable_cores() -> int:
    """The cores this process may use: of its affinity, and within its control group's quota."""
    if sys.platform == "linux":
        allowed = len(os.sched_getaffinity(0))
        quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
        return max(1, min(allowed, quota or allowed))
    return os.cpu_count() or 1


def _quota(path: Path) -> int | None:
    """Whole cores of a control group's `cpu.max` ("200000 100000"); None for "max"."""
    try:
        limit, _, period = path.read_text(encoding="ascii").strip().partition(" ")
        return max(1, round(int(limit) / int(period)))
    except (OSError, ValueError):
        return None


def linux_chip(cpuinfo: str) -> str | None:
    """The processor's name from the text of /proc/cpuinfo; 64-bit Arm often gives none."""
    match = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return match.group(1).strip() if match else None


def has_nvidia_driver(root: Path = Path("/")) -> bool:
    return any((root / node).exists() for node in ("proc/driver/nvidia/version", "dev/nvidiactl"))


def apple_working_set(total: int, wired_limit_mb: int) -> int:
    """Bytes that Metal recommends to use; `iogpu.wired_limit_mb` 0 means the system's default."""
    if wired_limit_mb > 0:
        return wired_limit_mb * 2**20
    share = _APPLE_SHARE_LARGE if total > _APPLE_LARGE_FROM else _APPLE_SHARE_SMALL
    return int(total * share)


def cpu_working_set(total: int) -> int:
    return int(total * _CPU_SHARE)


def memory_limit() -> int:
    """All memory of the machine, or of the container where that is less."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return total


def os_name() -> str:
    """A name a person knows: `macOS 15.1 (arm64)`, `Debian GNU/Linux 12 (x86_64)`."""
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]} ({machine})"
    try:
        release = platform.freedesktop_os_release()
        return f"{release.get('PRETTY_NAME', 'Linux')} ({machine})"
    except OSError:
        return f"{platform.system()} {platform.release()} ({machine})"
