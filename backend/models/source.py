"""The source of a model folder, as the app wrote it into the folder that it made."""

from __future__ import annotations

from pathlib import Path

from backend.contract.model_source import SOURCE_FILE, ModelSource
from backend.contract.record import BadRecord, read_record
from backend.core.disk.stored_files import DamagedFile, read_object


def read_source(folder: Path) -> ModelSource | None:
    """None where this app did not make the folder, or its file can't be read."""
    try:
        return read_record(ModelSource, read_object(folder / SOURCE_FILE))
    except (OSError, DamagedFile, BadRecord):
        return None
