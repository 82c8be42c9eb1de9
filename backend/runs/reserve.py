"""The adapter folder of a run: taken before it starts, given back when nothing came of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from backend.errors import AlreadyExists

_ASIDE = ".replaced-"


def reserve(adapter: Path, session_id: str, *, overwrite: bool) -> None:
    """Create the adapter's folder for this run.

    Raises AlreadyExists if there is one, unless it may be overwritten: then the old one is set
    aside, so that a run that fails before its first save costs nothing.
    """
    adapter.parent.mkdir(parents=True, exist_ok=True)
    try:
        adapter.mkdir()
    except FileExistsError:
        if not overwrite:
            raise AlreadyExists(
                f"There is already an adapter {adapter.name!r}.",
                hint="Choose another name, or turn on Overwrite.",
            ) from None
        aside = _aside(adapter, session_id)
        adapter.rename(aside)
        try:
            adapter.mkdir()
        except OSError:
            aside.rename(adapter)
            raise


def settle(adapter: Path, session_id: str) -> None:
    """After the run: drop the adapter it replaced, or put that back if nothing was saved."""
    aside = _aside(adapter, session_id)
    if any(adapter.glob("*.safetensors")):
        _remove(aside)
        return
    if adapter.is_dir() and not adapter.is_symlink():
        shutil.rmtree(adapter)
    if aside.exists() or aside.is_symlink():
        aside.rename(adapter)


def set_aside(adapters_dir: Path) -> list[str]:
    """The sessions that set an adapter aside and have not settled it."""
    return [path.name.removeprefix(_ASIDE) for path in adapters_dir.glob(f"{_ASIDE}*")]


def _aside(adapter: Path, session_id: str) -> Path:
    return adapter.parent / f"{_ASIDE}{session_id}"


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
