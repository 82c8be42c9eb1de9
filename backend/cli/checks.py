"""The checks of `doctor`: what was looked at, what was found, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.cli.client import Refused
from backend.cli.service import find_service, lock_path, port_is_free
from backend.core.disk.disk_errors import LOW_SPACE
from backend.core.disk.files import format_bytes
from backend.core.disk.lock import read_holder
from backend.core.machine.blas import engine_environment, find_blas
from backend.core.machine.hardware import memory_limit, os_name
from backend.core.machine.versions import engine_versions
from backend.core.process import run_child
from backend.errors import AppError
from backend.settings import CHECKOUT, INSTALLED, Settings

Level = Literal["ok", "warning", "problem"]

_ROOMY = 5_000_000_000  # Bytes free below which a model of some size does not fit.
_NEEDED = ("mlx", "mlx-lm", "mlx-lm-lora", "transformers")
_TRY = """import mlx.core as mx
ones = mx.ones((64, 64))
mx.eval(ones @ ones)
print(mx.default_device())"""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do about it."""

    name: str
    level: Level
    found: str
    remedy: str | None = None


def examine(settings: Settings, *, url: str | None) -> Iterator[Check]:
    """Every check, in the order in which one needs the other."""
    yield _python(settings)
    yield from _engines(settings)
    yield _blas(settings)
    yield _memory()
    yield from _folders(settings)
    yield _disk(settings.data_dir)
    yield _page(settings)
    yield _service(settings, url)


def _python(settings: Settings) -> Check:
    number, _ = engine_versions(settings)
    system = f"{os_name()}, Python {platform.python_version()}"
    if not number:
        return Check(
            "Python", "problem", f"{settings.python} can't be started",
            "DROID_PYTHON must name a Python that has mlx-lm.",
        )  # fmt: skip
    if sys.platform == "darwin" and platform.machine() != "arm64":
        return Check("Python", "problem", f"{system}: not for Apple Silicon",
                     "Install the arm64 Python: brew install python@3.12")  # fmt: skip
    return Check("Python", "ok", system)


def _engines(settings: Settings) -> Iterator[Check]:
    _, versions = engine_versions(settings)
    missing = [name for name in _NEEDED if versions[name] is None]
    again = _install_again()
    if missing:
        yield Check("MLX", "problem", f"not installed: {', '.join(missing)}", again)
        return
    versions_text = ", ".join(f"{name} {versions[name]}" for name in _NEEDED[:3])
    try:
        done = asyncio.run(
            run_child(
                [str(settings.python), "-c", _TRY], cwd=CHECKOUT,
                env=engine_environment(settings), deadline=120,
            )
        )  # fmt: skip
    except AppError as problem:
        yield Check("MLX", "problem", problem.detail, again)
        return
    if done.exit_code != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.exit_code}"])[-1]
        yield Check("MLX", "problem", f"{versions_text}: can't compute. {last}", again)
        return
    yield Check("MLX", "ok", versions_text)
    device = done.stdout.decode(errors="replace").strip()
    if sys.platform == "darwin" and "gpu" not in device.lower():
        yield Check(
            "Metal",
            "problem",
            f"MLX computes on {device}",
            "Metal needs macOS 14 or newer on Apple Silicon, and no virtual machine.",
        )
    else:
        yield Check("Metal" if sys.platform == "darwin" else "Device", "ok", device)


def _install_again() -> str:
    if not INSTALLED:
        return "Run ./startmlxnew once; it installs what is missing."
    extra = "" if sys.platform == "darwin" else "[cpu]"
    card = "" if sys.platform == "darwin" else " (or droid-finetuning[cuda] for an NVIDIA card)"
    return f"Install it again: pip install 'droid-finetuning{extra}'{card}"


def _blas(settings: Settings) -> Check:
    blas = find_blas(settings)
    if blas.name == "reference":
        return Check("BLAS", "warning", blas.source,
                     f"Training is some 80 times slower. {_install_again()} "
                     "Or install OpenBLAS: apt install libopenblas0")  # fmt: skip
    return Check("BLAS", "ok", f"{blas.name} ({blas.source})")


def _memory() -> Check:
    total = memory_limit()
    if total < 8_000_000_000:
        return Check(
            "Memory", "warning", format_bytes(total), "Small models only; see a run's --dry-run."
        )
    return Check("Memory", "ok", format_bytes(total))


def _folders(settings: Settings) -> Iterator[Check]:
    folders = {
        "data": settings.data_dir, "sessions": settings.sessions_dir, "logs": settings.logs_dir,
        "adapters": settings.adapters_dir, "exports": settings.exports_dir,
    }  # fmt: skip
    bad = [f"{name} ({path})" for name, path in folders.items() if not _writable(path)]
    if bad:
        yield Check(
            "Folders",
            "problem",
            f"can't be written: {', '.join(bad)}",
            "Change their owner or permissions, or choose another folder with --data-dir.",
        )
    else:
        yield Check("Folders", "ok", str(settings.data_dir))
    gone = [str(path) for path in settings.models_dirs[2:] if not path.is_dir()]
    if gone:
        yield Check(
            "Models", "warning", f"not there: {', '.join(gone)}", "Correct DROID_MODELS_DIR."
        )


def _writable(folder: Path) -> bool:
    """Whether it can be written, or made in the nearest folder that is there."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _disk(folder: Path) -> Check:
    nearest = next(place for place in (folder, *folder.parents) if place.is_dir())
    free = shutil.disk_usage(nearest).free
    space = f"{format_bytes(free)} free"
    if free < LOW_SPACE:
        return Check(
            "Disk",
            "problem",
            space,
            "Delete old sessions or adapters, or choose another --data-dir.",
        )
    if free < _ROOMY:
        return Check("Disk", "warning", space, "Models of some size need more.")
    return Check("Disk", "ok", space)


def _page(settings: Settings) -> Check:
    model = CHECKOUT / "test_data" / "models" / "droid-demo" / "model.safetensors"
    if not model.is_file():
        return Check("Files", "problem", f"the demo model is missing ({model})", _install_again())
    if not (settings.ui_dir / "index.html").is_file():
        return Check("Files", "warning", "the page is not built",
                     "Run npm run build:frontend; the commands work without it.")  # fmt: skip
    return Check("Files", "ok", "page and demo model are there")


def _service(settings: Settings, url: str | None) -> Check:
    if url is not None:
        return Check(
            "Service",
            "warning",
            f"--url or DROID_URL: {url}",
            "The checks above are of this machine.",
        )
    try:
        running = find_service(settings)
    except Refused:
        at = read_holder(lock_path(settings)).get("url")
        return Check(
            "Service",
            "warning",
            f"running at {at}, with a token",
            "Set DROID_TOKEN, or give --token.",
        )
    if running is not None:
        return Check("Service", "ok", f"running at {running.url}, version {running.version()}")
    if settings.port and not port_is_free(settings.host, settings.port):
        return Check(
            "Service",
            "warning",
            f"not running; another program has port {settings.port}",
            "A service started by a command takes a free one; or choose with --port.",
        )
    return Check("Service", "ok", f"not running; port {settings.port} is free")
