"""The trash: what was deleted and can be put back for a day, in folders of `<data root>/trash`."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from backend.core.disk.files import write_json
from backend.core.disk.removal import Doomed, NotRemoved, named, refusal, remove, remove_all
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.errors import AlreadyExists, NotFound

KEPT = timedelta(days=1)

_ID = re.compile(r"[0-9]{8}_[0-9]{6}_[0-9a-f]{8}")
_CONTENTS = "contents.json"


class _Contents(BaseModel):
    """`paths` are relative to the data root; the thing at place n lies in the folder as `n`."""

    at: AwareDatetime
    paths: list[str]


class Trash:
    """Takes things of this app out of their places, and puts them back. Blocking.

    A crash in the middle leaves each thing in its place or in the trash, never nowhere.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir
        self._folder = data_dir / "trash"

    def put(self, doomed: Sequence[Doomed], *, link: bool = False) -> str | None:
        """Move all of them here or none; the id by which `restore` puts them back.

        None where there were none, and where they are not below the data root, on another disk or
        on a full one: then they are removed for good. Raises as `remove_all`.
        """
        self.empty()
        for one in doomed:
            reason = refusal(one.path, inside=one.inside, own=one.own, link=link)
            if reason is not None:
                raise NotRemoved(
                    f"{one.path} is not removed: {reason}.",
                    hint="Look at it, and remove it yourself if it is not needed.",
                )
        there = [one for one in doomed if os.path.lexists(one.path)]
        if not there:
            return None
        if not all(self._is_near(one.path) for one in there):
            remove_all(there, link=link)
            return None
        now = datetime.now(UTC)
        trash_id = f"{now:%Y%m%d_%H%M%S}_{secrets.token_hex(4)}"
        folder = self._folder / trash_id
        paths = [os.path.relpath(one.path.absolute(), self._root.absolute()) for one in there]
        moves = [(one.path, folder / str(place)) for place, one in enumerate(there)]
        try:
            folder.mkdir(parents=True)
            contents = _Contents(at=now, paths=paths)
            write_json(folder / _CONTENTS, contents.model_dump(mode="json"))
            _move(moves)
        except OSError:  # A removal needs no space, and says what is wrong if it fails too.
            self._remove(folder)
            remove_all(there, link=link)
            return None
        return trash_id

    def restore(self, trash_id: str) -> int:
        """Put back all that was deleted under an id; how many things. Raises NotFound, or
        AlreadyExists where another thing took the place meanwhile: then nothing is moved.
        """
        folder = self._folder / trash_id
        try:
            if _ID.fullmatch(trash_id) is None:
                raise FileNotFoundError(trash_id)
            contents = read_model(folder / _CONTENTS, _Contents)
        except (FileNotFoundError, DamagedFile):
            raise NotFound(
                f"What was deleted as {trash_id[:80]!r} can't be put back.",
                hint=f"It can be for {KEPT.days} day after it was deleted, and once.",
            ) from None
        moves = [
            (folder / str(place), self._place(path))
            for place, path in enumerate(contents.paths)
            if os.path.lexists(folder / str(place))  # The rest was never taken away.
        ]
        for _, place in moves:
            if os.path.lexists(place):
                raise AlreadyExists(
                    f"{place.name} can't be put back: there is another one by now.",
                    hint="Rename or delete that one first.",
                )
        for _, place in moves:
            place.parent.mkdir(parents=True, exist_ok=True)
        _move(moves)
        self._remove(folder)
        return len(moves)

    def empty(self, *, older_than: timedelta = KEPT) -> None:
        """Remove for good what was deleted longer ago."""
        limit = f"{datetime.now(UTC) - older_than:%Y%m%d_%H%M%S}"
        try:
            folders = [path for path in self._folder.iterdir() if path.name < limit]
        except OSError:
            return
        for folder in folders:
            self._remove(folder)

    def _remove(self, folder: Path) -> None:
        try:
            remove(folder, inside=self._folder, own=named(_ID))
        except (OSError, NotRemoved):
            return  # Tried again when the trash is emptied.

    def _is_near(self, path: Path) -> bool:
        root = self._root.absolute()
        if not path.absolute().is_relative_to(root):
            return False
        device = path.lstat().st_dev
        return device == path.parent.stat().st_dev == self._root.stat().st_dev

    def _place(self, path: str) -> Path:
        place = self._root / path
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise NotFound(f"{path[:200]!r} is not below the data root, so it is not put back.")
        return place


def _move(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename all of them or, with an OSError, none."""
    moved: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            moved.append((source, target))
    except OSError:
        for source, target in reversed(moved):
            target.rename(source)
        raise
