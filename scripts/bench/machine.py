"""One line about the machine that a number was measured on."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from backend.core.machine.system import describe_system
from backend.settings import read_settings


def machine() -> str:
    info = describe_system(read_settings())
    memory = f"{info.memory_total / 2**30:.0f} GiB" if info.memory_total else "unknown memory"
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d} · {info.chip or 'unknown chip'} · {info.cores} cores · "
        f"{memory} · {info.os} · Python {info.python} · "
        f"mlx {info.engines['mlx']} on {info.device} · mlx-lm {info.engines['mlx-lm']} · "
        f"BLAS: {info.blas.source} · load {load:.1f}"
    )
