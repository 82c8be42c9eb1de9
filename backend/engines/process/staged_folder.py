"""A folder that is written beside its place and renamed once all of it is there."""

from __future__ import annotations

import os
from pathlib import Path

from backend.core.disk.files import sync_folder
from backend.engines.process.endings import Unusable


def sync_files(folder: Path) -> None:
    """Flush every file of a folder, at any depth, and the folder, to the disk."""
    for path in folder.rglob("*"):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    sync_folder(folder)


def publish(staging: Path, output: Path) -> None:
    """Put a finished folder into its place, so that it outlives a power cut. Raises Unusable."""
    try:
        staging.rename(output)
    except OSError as problem:
        raise Unusable(
            f"{output.name} could not be put into its place: {problem.strerror}.",
            "Choose another output_name.",
        ) from problem
    sync_folder(output.parent)
