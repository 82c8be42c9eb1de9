"""A data file in the making: written beside its place, and only then put there whole."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from backend.core.disk.disk_errors import disk_refusal
from backend.core.disk.files import format_bytes, sync_folder
from backend.core.disk.removal import discard
from backend.errors import AlreadyExists, Invalid, NoDiskSpace, NotFound

_SPARE = 256 * 1024**2  # Left free on the disk, for everything else that is being written.
_LOOK_EVERY = 16 * 1024**2


def target_path(given: str, folder: Path, *, new_folder: bool = False) -> Path:
    """Where a new data file goes; a relative path is under `folder`. Raises Invalid or NotFound.

    With `new_folder` the file's own folder need not exist, the one above it must.
    """
    if not given.strip() or "\0" in given or len(given) > 4000:
        raise Invalid(f"The path {given[:200]!r} can't be used.", hint="Give the path of a file.")
    path = Path(os.path.abspath(folder / Path(given).expanduser()))  # noqa: PTH100 - keeps links
    if path.suffix.lower() != ".jsonl" or path.name.startswith("."):
        raise Invalid(
            f"{path.name[:200]!r} is not named like a JSON lines file.",
            hint="Let the name end in .jsonl.",
        )
    if path.is_relative_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not new_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
    needed = path.parent.parent if new_folder else path.parent
    if not needed.is_dir():
        raise NotFound(f"There is no folder {needed}.", hint="Make it, or choose another.")
    return path


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Invalid(f"{path} is not a regular file, so it is not replaced.")
    if path.exists() and not overwrite:
        raise AlreadyExists(
            f"{path} exists already; nothing is overwritten unless you say so.",
            hint="Choose another name, or say overwrite.",
        )


class NewFile:
    """Rows for a file that appears under its name when `keep` is called, and else not at all."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        refuse_existing(path, overwrite=overwrite)
        self.path = path
        self.rows = 0
        self._overwrite = overwrite
        self._temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.tmp")
        self._bytes = _LOOK_EVERY

    def __enter__(self) -> Self:
        try:
            self._file = self._temporary.open("xb")
        except OSError as problem:
            problem.filename = str(self.path)
            raise (disk_refusal(problem, self.path.parent) or problem) from problem
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        discard(self._temporary)

    def add(self, row: Mapping[str, Any]) -> None:
        self.add_raw(json.dumps(row, ensure_ascii=False, allow_nan=False).encode())

    def add_raw(self, raw: bytes) -> None:
        self._bytes += len(raw) + 1
        if self._bytes > _LOOK_EVERY:
            self._bytes = 0
            need_space(self.path.parent, _LOOK_EVERY)
        self._file.write(raw + b"\n")
        self.rows += 1

    def keep(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._overwrite:
            self._temporary.replace(self.path)
        else:
            put_in_free_place(self._temporary, self.path)
        sync_folder(self.path.parent)


def put_in_free_place(temporary: Path, path: Path) -> None:
    """Give a finished file its name. Raises AlreadyExists when there is a file by now."""
    try:
        os.link(temporary, path)  # Unlike a rename, this can't replace a file.
    except FileExistsError:
        refuse_existing(path, overwrite=False)
        put_in_free_place(temporary, path)  # It is gone again.
    except OSError:  # A file system without links.
        refuse_existing(path, overwrite=False)
        temporary.rename(path)


def need_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < _SPARE + size:
        raise NoDiskSpace(
            f"The disk of {folder} is almost full: {format_bytes(free)} are free.",
            hint=f"Free some space: {format_bytes(_SPARE)} must stay free.",
        )
