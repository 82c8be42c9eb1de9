"""Conversations of the Compare page: several turns, in each an answer of every target."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.comparisons.history import SavedAnswer, Text
from backend.contract.thoughts import split_thoughts
from backend.core.disk.files import NAME, child_path, write_text
from backend.core.disk.removal import Doomed, named
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.core.disk.trash import Trash
from backend.core.limits import Whole
from backend.core.schemas import DamagedItem
from backend.errors import NotFound, TooLarge
from backend.inference.requests import PlainText

MOST_CHATS = 1000
_LONGEST_TITLE = 120
_STRICT = ConfigDict(extra="forbid", strict=True)


class ChatTarget(BaseModel):
    """Who answers: a base, or an adapter on it."""

    model_config = _STRICT

    model_name: str = Field(min_length=1, max_length=4096)
    adapter_name: str | None = Field(None, max_length=4096)
    checkpoint: str | Whole | None = None


class ChatAnswer(SavedAnswer):
    """One target's answer. `text` is all that it wrote, `answer` that without its `thoughts`.
    Without a `finish_reason` it was being written when this was saved.
    """

    thoughts: Text | None = None
    answer: Text = ""


class ChatTurn(BaseModel):
    model_config = _STRICT

    prompt: Annotated[PlainText, Field(min_length=1, max_length=200_000)]
    answers: list[ChatAnswer] = Field(max_length=8)


class ChatIn(BaseModel):
    """`answers` of each turn stand in the order of `targets`."""

    model_config = _STRICT

    system: Text | None = None
    targets: list[ChatTarget] = Field(min_length=1, max_length=8)
    turns: list[ChatTurn] = Field(max_length=500)

    @model_validator(mode="after")
    def _an_answer_of_every_target(self) -> Self:
        for number, turn in enumerate(self.turns, 1):
            if len(turn.answers) != len(self.targets):
                raise ValueError(
                    f"turn {number} has {len(turn.answers)} answers of {len(self.targets)} targets"
                )
        return self


class Chat(ChatIn):
    """`at` is when it began, `changed` when it was saved last."""

    id: str
    at: datetime
    changed: datetime


class ChatSummary(BaseModel):
    """`title` is the beginning of the first prompt; `turns` how many there are."""

    id: str
    at: datetime
    changed: datetime
    title: str
    turns: int
    targets: list[ChatTarget]


class Chats(BaseModel):
    """Newest first. `next_cursor` is null at the end."""

    chats: list[ChatSummary]
    next_cursor: str | None
    damaged: list[DamagedItem] = []


class ChatStore:
    """`<data>/chats/<id>.json`. Blocking."""

    def __init__(self, data_dir: Path, trash: Trash) -> None:
        self._folder = data_dir / "chats"
        self._trash = trash
        self._lock = threading.Lock()

    def create(self, chat: ChatIn) -> Chat:
        """Save a new one. Raises TooLarge once there are as many as are kept."""
        if len(self._ids()) >= MOST_CHATS:
            raise TooLarge(
                f"There are {MOST_CHATS} conversations, the maximum.",
                hint="Export those worth keeping, then delete some.",
            )
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d_%H%M%S_%f}_{secrets.token_hex(2)}"  # Sorts by time.
        return self._write(chat, name, now, now)

    def replace(self, chat_id: str, chat: ChatIn) -> Chat:
        """Save all of its turns anew. Raises NotFound, so a deleted one stays deleted."""
        with self._lock:
            return self._write(chat, chat_id, self.read(chat_id).at, datetime.now(UTC))

    def read(self, chat_id: str) -> Chat:
        """Raises NotFound or DamagedFile."""
        try:
            return read_model(self._file(chat_id), Chat)
        except FileNotFoundError:
            raise _unknown(chat_id) from None

    def page(self, limit: int, cursor: str | None) -> Chats:
        """A page of them, and what of it can't be read."""
        ids = [one for one in self._ids() if cursor is None or one < cursor]
        page = Chats(chats=[], next_cursor=ids[limit - 1] if len(ids) > limit else None)
        for one in ids[:limit]:
            try:
                page.chats.append(_summary(self.read(one)))
            except DamagedFile as damage:
                path = str(self._file(one))
                page.damaged.append(DamagedItem(name=one, path=path, problem=damage.detail))
            except NotFound:  # Deleted just now.
                continue
        return page

    def delete(self, chat_id: str) -> str | None:
        """Delete one, also one that can't be read; its id in the trash. Raises NotFound."""
        path = self._file(chat_id)
        with self._lock:
            if not os.path.lexists(path):
                raise _unknown(chat_id)
            return self._trash.put([Doomed(path, self._folder, named(r".+\.json"))], link=True)

    def _write(self, chat: ChatIn, chat_id: str, at: datetime, changed: datetime) -> Chat:
        turns = [_split(turn) for turn in chat.turns]
        saved = Chat(
            id=chat_id,
            at=at,
            changed=changed,
            system=chat.system,
            targets=chat.targets,
            turns=turns,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._file(chat_id), saved.model_dump_json(indent=2) + "\n")
        return saved

    def _ids(self) -> Sequence[str]:
        try:
            paths = list(self._folder.iterdir())
        except OSError:
            return []
        names = [
            path.stem
            for path in paths
            if path.suffix == ".json" and NAME.fullmatch(path.name) and not path.is_symlink()
        ]
        return sorted(names, reverse=True)

    def _file(self, chat_id: str) -> Path:
        return child_path(self._folder, f"{chat_id}.json")


def _split(turn: ChatTurn) -> ChatTurn:
    """With the thoughts set apart of answers that were stopped, of which no end told them."""
    answers = []
    for answer in turn.answers:
        if answer.thoughts is None and not answer.answer:
            parts = split_thoughts(answer.text)
            answer = answer.model_copy(update={"thoughts": parts.thoughts, "answer": parts.answer})
        answers.append(answer)
    return turn.model_copy(update={"answers": answers})


def _summary(chat: Chat) -> ChatSummary:
    first = chat.turns[0].prompt if chat.turns else ""
    return ChatSummary(
        id=chat.id,
        at=chat.at,
        changed=chat.changed,
        title=" ".join(first.split())[:_LONGEST_TITLE],
        turns=len(chat.turns),
        targets=chat.targets,
    )


def _unknown(chat_id: str) -> NotFound:
    return NotFound(f"There is no conversation {chat_id[:80]!r}.")
