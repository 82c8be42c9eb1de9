"""What the Compare page remembers: past comparisons with their ratings, and sets of prompts."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.core.files import NAME, child_path, write_json
from backend.core.limits import Whole
from backend.core.removal import named, remove
from backend.errors import Invalid, NotFound, TooLarge
from backend.inference.asked import PlainText

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


class Notebook:
    """`<data>/comparisons/<id>.json` and `<data>/prompt_sets/<name>.json`. Blocking."""

    def __init__(self, data_dir: Path) -> None:
        self._comparisons = data_dir / "comparisons"
        self._prompts = data_dir / "prompt_sets"
        self._lock = threading.Lock()  # A rating is read, changed and written.

    def keep(self, given: ComparisonIn) -> Comparison:
        """Raises TooLarge once there are as many as are kept."""
        if len(self._ids()) >= MOST_COMPARISONS:
            raise TooLarge(
                f"There are {MOST_COMPARISONS} comparisons already, the most that are kept.",
                hint="Export the history, then delete some of it.",
            )
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d_%H%M%S_%f}_{secrets.token_hex(2)}"  # Sorts by time.
        made = Comparison(id=name, at=now, **given.model_dump())
        self._write(made)
        return made

    def page(self, limit: int, cursor: str | None) -> Comparisons:
        """What can't be read any more is left out."""
        ids = [one for one in self._ids() if cursor is None or one < cursor]
        found = [one for one in map(self._read, ids[:limit]) if one is not None]
        more = len(ids) > limit
        return Comparisons(comparisons=found, next_cursor=ids[limit - 1] if more else None)

    def rate(self, comparison_id: str, given: Rating) -> Comparison:
        """Raises NotFound for the comparison or the answer."""
        with self._lock:
            found = self._find(comparison_id)
            if given.answer >= len(found.answers):
                raise NotFound(
                    f"The comparison has {len(found.answers)} answers; there is no number "
                    f"{given.answer} (they count from 0)."
                )
            found.answers[given.answer].rating = given.rating
            self._write(found)
        return found

    def forget(self, comparison_id: str) -> None:
        """Raises NotFound."""
        with self._lock:
            self._find(comparison_id)
            self._remove(comparison_id)

    def forget_all(self) -> int:
        """How many there were."""
        ids = self._ids()
        for one in ids:
            self._remove(one)
        return len(ids)

    def prompt_sets(self) -> PromptSets:
        """By name; what can't be read is left out."""
        found = []
        for path in self._prompts.glob("*.json"):
            try:
                found.append(NamedPromptSet.model_validate_json(path.read_bytes()))
            except (OSError, ValidationError):
                continue
        return PromptSets(prompt_sets=sorted(found, key=lambda one: one.name.casefold()))

    def keep_prompts(self, name: str, given: PromptSet) -> NamedPromptSet:
        """Replaces a set of the same name. Raises Invalid for a name that is no line of text."""
        name = _set_name(name)
        made = NamedPromptSet(name=name, prompts=given.prompts)
        path = self._prompt_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, made.model_dump(mode="json"))
        return made

    def forget_prompts(self, name: str) -> None:
        """Raises NotFound."""
        name = _set_name(name)
        path = self._prompt_file(name)
        if not path.is_file():
            raise NotFound(f"There is no prompt set {name!r}.")
        remove(path, inside=self._prompts, own=named(path.name))

    def _ids(self) -> list[str]:
        try:
            names = [
                path.stem
                for path in self._comparisons.iterdir()
                # Any other was put there by somebody else.
                if path.suffix == ".json" and NAME.fullmatch(path.name) and not path.is_symlink()
            ]
        except OSError:
            return []
        return sorted(names, reverse=True)

    def _find(self, comparison_id: str) -> Comparison:
        found = self._read(comparison_id)
        if found is None:
            raise NotFound(f"There is no comparison {comparison_id[:80]!r}.")
        return found

    def _read(self, comparison_id: str) -> Comparison | None:
        try:
            return Comparison.model_validate_json(self._file(comparison_id).read_bytes())
        except (OSError, ValidationError):
            return None

    def _write(self, comparison: Comparison) -> None:
        self._comparisons.mkdir(parents=True, exist_ok=True)
        write_json(self._file(comparison.id), json.loads(comparison.model_dump_json()))

    def _remove(self, comparison_id: str) -> None:
        path = self._file(comparison_id)
        remove(path, inside=self._comparisons, own=lambda path: path.is_file())

    def _file(self, comparison_id: str) -> Path:
        return child_path(self._comparisons, f"{comparison_id}.json")

    def _prompt_file(self, name: str) -> Path:
        """Named after the set where that can be a file's name, else after its hash."""
        if NAME.fullmatch(f"{name}.json"):
            return child_path(self._prompts, f"{name}.json")
        return self._prompts / f"set-{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _set_name(name: str) -> str:
    """Raises Invalid for a name that can't be shown on one line."""
    kept = name.strip()
    if not kept or len(kept) > _LONGEST_NAME or not kept.isprintable():
        raise Invalid(
            f"A prompt set can't be named {name[:120]!r}.",
            hint=f"Use 1 to {_LONGEST_NAME} printable characters.",
        )
    return kept
