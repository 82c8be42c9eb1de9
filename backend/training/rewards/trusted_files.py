"""Which reward files a person has looked at and trusted, known by what was in them then.

A reward file is somebody's Python that will run with the user's rights. It is trusted by its
SHA-256, after its code was shown; a changed file is a new file and asks again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from backend.core.disk.files import write_json
from backend.core.disk.notices import Notices
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.errors import AppError, FieldProblem, NotFound, NotTrusted, WrongState
from backend.settings import Settings
from backend.training.rewards.code import FIELD, code_path, describe_code, read_code
from backend.training.rewards.schemas import RewardCode, TrustedFile

NAME = "trusted_rewards.json"
_HINT = (
    "Look at its code and trust it under Reward functions, "
    "or by POST /api/training/reward-functions/trust."
)
_lock = threading.Lock()  # Of the one file; objects come and go.


class _Entry(BaseModel):
    sha256: str
    at: datetime


class _Stored(BaseModel):
    version: int = 1
    files: dict[str, _Entry] = {}


class TrustedFiles:
    """The record under the data root. Blocking: a few small files are read."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data_dir / NAME
        self._notices = Notices(settings.data_dir)

    def inspect(self, value: str) -> RewardCode:
        """The code, what is in it, and whether it is trusted. Nothing is run."""
        path = code_path(value)
        source, sha256 = read_code(path)
        entry = self._read().get(str(path))
        trusted = entry is not None and entry.sha256 == sha256
        return describe_code(path, source, sha256, trusted=trusted)

    def trust(self, value: str, sha256: str) -> list[TrustedFile]:
        """Record that the file, as it was shown, may run. Raises WrongState if it changed since."""
        path = code_path(value)
        source, code = read_code(path)
        describe_code(path, source, code, trusted=False)  # Raises where it is no Python.
        if code != sha256:
            raise WrongState(
                f"{path.name} has changed since it was shown, so it was not trusted.",
                hint="Look at the code again.",
            )
        with _lock:
            trusted = self._read(to_change=True)
            files = {**trusted, str(path): _Entry(sha256=sha256, at=datetime.now(UTC))}
            self._write(files)
        return self.known()

    def untrust(self, value: str) -> list[TrustedFile]:
        """Forget a file, which need not exist any more. Raises NotFound if it was not trusted."""
        with _lock:
            files = dict(self._read())
            path = value if value in files else str(code_path(value))
            if files.pop(path, None) is None:
                raise NotFound(f"{value[:500]} is not among the trusted files.")
            self._write(files)
        return self.known()

    def require(self, value: str) -> str:
        """The SHA-256 of a file that is trusted as it is now. Raises NotTrusted, NotFound, …"""
        path = code_path(value)
        _, sha256 = read_code(path)
        entry = self._read().get(str(path))
        if entry is not None and entry.sha256 == sha256:
            return sha256
        text = (
            f"{path.name} has not been trusted, so its functions are not run."
            if entry is None
            else f"{path.name} has changed since it was trusted, so its functions are not run."
        )
        raise NotTrusted(text, hint=_HINT, errors=[FieldProblem(FIELD, text)])

    def known(self) -> list[TrustedFile]:
        """All of them, the newest first, and whether each is still what was trusted."""
        files = sorted(self._read().items(), key=lambda each: each[1].at, reverse=True)
        return [
            TrustedFile(
                path=path, sha256=entry.sha256, at=entry.at, state=_state(Path(path), entry)
            )
            for path, entry in files
        ]

    def _read(self, *, to_change: bool = False) -> Mapping[str, _Entry]:
        """A record that can't be read trusts nothing, which only asks again; before a change it
        is set aside.
        """
        try:
            return read_model(self._path, _Stored).files
        except FileNotFoundError:
            return {}
        except DamagedFile as damage:
            tell = self._notices.set_aside if to_change else self._notices.report
            tell(self._path, damage.detail, "No reward file is trusted until you trust it again.")
            return {}

    def _write(self, files: Mapping[str, _Entry]) -> None:
        write_json(self._path, _Stored(files=dict(files)).model_dump(mode="json"))


def _state(path: Path, entry: _Entry) -> Literal["trusted", "changed", "missing"]:
    try:
        _, sha256 = read_code(path)
    except AppError:
        return "missing"
    return "trusted" if sha256 == entry.sha256 else "changed"
