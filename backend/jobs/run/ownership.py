"""What was written by a session of this app: its folder, its name, its adapter."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

from backend.contract.run.folder import CONFIG, EVENTS, LINEAGE, LOG
from backend.core.disk.removal import Proof
from backend.jobs.run.legacy_records import Damaged, read_raw


def is_run_folder(folder: Path) -> bool:
    """Whether a run wrote it: by a file that every run has, or by its name."""
    return is_session_id(folder.name) or any(
        (folder / name).is_file() for name in (CONFIG, EVENTS, LOG)
    )


def is_session_id(name: str) -> bool:
    """Whether it is a name that this app gives to a session."""
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def names_session(session_id: str) -> Proof:
    """The proof that an adapter's lineage names that session."""

    def proves(adapter: Path) -> bool:
        with suppress(Damaged, FileNotFoundError):
            return read_raw(adapter / LINEAGE).get("session_id") == session_id
        return False

    return proves
