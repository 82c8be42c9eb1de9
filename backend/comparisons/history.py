"""What the Compare page remembers: past comparisons with their ratings, and sets of prompts."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.core.disk.files import NAME, child_path, write_json, write_text
from backend.core.disk.notices import Notices
from backend.core.disk.removal import Doomed, named
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.core.disk.trash import Trash
from backend.core.limits import Whole
from backend.core.schemas import DamagedItem
from backend.errors import Invalid, NotFound, TooLarge
from backend.inference.requests import PlainText

MOST_COMPARISONS = 2000
_LONGEST_NAME = 100
_STRICT = ConfigDict(extra="forbid", strict=True)
Text = Annotated[PlainText, Field(max_length=200_000)]
Stars = Annotated[int, Field(ge=1, le=5)]


class SavedAnswer(BaseModel):
    """One side of a comparison. `stats` are those of the answer, as they were shown."""

    model_config = _STRICT

    model_name: str = Field(max_length=4096)
    adapter_name: str | None = Field(None, max_length=4096)
    checkpoint: str | Whole | None = None
    text: Text
    finish_reason: str | None = None
    chat_template_used: bool | None = None
    warnings: list[str] = Field([], max_length=50)
    stats: dict[str, Any] = {}
    rating: Stars | None = None


class ComparisonIn(BaseModel):
    model_config = _STRICT

    prompt: Text
    system: Text | None = None
    sampling: dict[str, Any] = {}
    answers: list[SavedAnswer] = Field(min_length=1, max_length=8)


class Comparison(ComparisonIn):
    id: str
    at: datetime


class Comparisons(BaseModel):
    """Newest first. `next_cursor` is null at the end."""

    comparisons: list[Comparison]
    next_cursor: str | None
    damaged: list[DamagedItem] = []


class Rating(BaseModel):
    """`rating` null takes the stars away again."""

    model_config = _STRICT

    answer: int = Field(ge=0, le=7)
    rating: Stars | None


class PromptSet(BaseModel):
    model_config = _STRICT

    prompts: list[Annotated[PlainText, Field(min_length=1, max_length=100_000)]] = Field(
        min_length=1, max_length=500
    )


class NamedPromptSet(PromptSet):
    name: str


class PromptSets(BaseModel):
    prompt_sets: list[NamedPromptSet]
    damaged: list[DamagedItem] = []


class Notebook:
    """`<data>/comparisons/<id>.json` and `<data>/prompt_sets/<name>.json`. Blocking."""

    def __init__(self, data_dir: Path, trash: Trash | None = None) -> None:
        self._trash = trash or Trash(data_dir)
        self._comparisons = data_dir / "comparisons"
        self._prompts = data_dir / "prompt_sets"
        self._notices = Notices(data_dir)
        self._lock = threading.Lock()  # A rating is read, changed and written.

    def keep(self, comparison: ComparisonIn) -> Comparison:
        """Raises TooLarge once there are as many as are kept."""
        if len(self._ids()) >= MOST_COMPARISONS:
            raise TooLarge(
                f"There are {MOST_COMPARISONS} comparisons, the maximum.",
                hint="Export the history, then delete some of it.",
            )
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d_%H%M%S_%f}_{secrets.token_hex(2)}"  # Sorts by time.
        entry = Comparison(id=name, at=now, **comparison.model_dump())
        self._write(entry)
        return entry

    def page(self, limit: int, cursor: str | None) -> Comparisons:
        """A page of them, and what of it can't be read."""
        ids = [one for one in self._ids() if cursor is None or one < cursor]
        page = Comparisons(comparisons=[], next_cursor=ids[limit - 1] if len(ids) > limit else None)
        for one in ids[:limit]:
            try:
                page.comparisons.append(self._read(one))
            except DamagedFile as damage:
                page.damaged.append(_damaged(self._file(one), damage))
            except FileNotFoundError:  # Deleted just now.
                continue
        return page

    def rate(self, comparison_id: str, rating: Rating) -> Comparison:
        """Raises NotFound for the comparison or the answer."""
        with self._lock:
            comparison = self._find(comparison_id)
            if rating.answer >= len(comparison.answers):
                raise NotFound(
                    f"The comparison has {len(comparison.answers)} answers; there is no number "
                    f"{rating.answer} (they count from 0)."
                )
            comparison.answers[rating.answer].rating = rating.rating
            self._write(comparison)
        return comparison

    def forget(self, comparison_id: str) -> str | None:
        """Delete one, also one that can't be read; its id in the trash.

        Raises NotFound, or DamagedFile for a folder.
        """
        with self._lock:
            if not os.path.lexists(self._file(comparison_id)):
                raise _unknown(comparison_id)
            return self._discard([self._file(comparison_id)])

    def forget_all(self) -> tuple[int, str | None]:
        """Delete those that can be read: how many, and their id in the trash. The others may be
        worth saving.
        """
        readable: list[Path] = []
        with self._lock:
            for one in self._ids():
                with suppress(FileNotFoundError, DamagedFile):
                    self._read(one)
                    readable.append(self._file(one))
            return len(readable), self._discard(readable)

    def prompt_sets(self) -> PromptSets:
        """By name, and what can't be read."""
        sets, damaged = [], []
        for path in sorted(_files_in(self._prompts)):
            try:
                sets.append(read_model(path, NamedPromptSet))
            except DamagedFile as damage:
                damaged.append(_damaged(path, damage))
            except FileNotFoundError:  # Deleted just now.
                continue
        sets.sort(key=lambda one: one.name.casefold())
        return PromptSets(prompt_sets=sets, damaged=damaged)

    def keep_prompts(self, name: str, prompt_set: PromptSet) -> NamedPromptSet:
        """Replaces a set of the same name; one that can't be read is set aside.

        Raises Invalid for a name that is no line of text.
        """
        name = _set_name(name)
        entry = NamedPromptSet(name=name, prompts=prompt_set.prompts)
        path = self._prompt_file(name)
        try:
            read_model(path, NamedPromptSet)
        except DamagedFile as damage:
            self._notices.set_aside(path, damage.detail, f"The prompt set {name} was saved anew.")
        except OSError:  # There was none.
            pass
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, entry.model_dump(mode="json"))
        return entry

    def forget_prompts(self, name: str) -> str | None:
        """Its id in the trash. Raises NotFound."""
        name = _set_name(name)
        path = self._prompt_file(name)
        if not os.path.lexists(path):
            raise NotFound(f"There is no prompt set {name!r}.")
        return self._discard([path])

    def _discard(self, paths: Sequence[Path]) -> str | None:
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                raise DamagedFile(
                    f"{path.name} is a folder, which is not deleted here.",
                    hint=f"Look into {path}.",
                )
        doomed = [Doomed(path, path.parent, named(r".+\.json")) for path in paths]
        return self._trash.put(doomed, link=True)

    def _ids(self) -> list[str]:
        names = [
            path.stem
            for path in _files_in(self._comparisons)
            # Any other was put there by somebody else.
            if NAME.fullmatch(path.name) and not path.is_symlink()
        ]
        return sorted(names, reverse=True)

    def _find(self, comparison_id: str) -> Comparison:
        try:
            return self._read(comparison_id)
        except FileNotFoundError:
            raise _unknown(comparison_id) from None

    def _read(self, comparison_id: str) -> Comparison:
        """Raises FileNotFoundError or DamagedFile."""
        comparison = read_model(self._file(comparison_id), Comparison)
        comparison.id = comparison_id  # Of a copied file too.
        return comparison

    def _write(self, comparison: Comparison) -> None:
        self._comparisons.mkdir(parents=True, exist_ok=True)
        write_text(self._file(comparison.id), comparison.model_dump_json(indent=2) + "\n")

    def _file(self, comparison_id: str) -> Path:
        return child_path(self._comparisons, f"{comparison_id}.json")

    def _prompt_file(self, name: str) -> Path:
        """Named after the set where that can be a file's name, else after its hash."""
        if NAME.fullmatch(f"{name}.json"):
            return child_path(self._prompts, f"{name}.json")
        return self._prompts / f"set-{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _files_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == ".json"]
    except OSError:
        return []


def _damaged(path: Path, damage: DamagedFile) -> DamagedItem:
    return DamagedItem(name=path.stem, path=str(path), problem=damage.detail)


def _unknown(comparison_id: str) -> NotFound:
    return NotFound(f"There is no comparison {comparison_id[:80]!r}.")


def _set_name(name: str) -> str:
    """Raises Invalid for a name that can't be shown on one line."""
    short = name.strip()
    if not short or len(short) > _LONGEST_NAME or not short.isprintable():
        raise Invalid(
            f"A prompt set can't be named {name[:120]!r}.",
            hint=f"Use 1 to {_LONGEST_NAME} printable characters.",
        )
    return short
