"""Blind votes between base and adapter, and how sure the win rate is that they add up to."""

from __future__ import annotations

import json
import math
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.core.disk.files import JsonlTail, append_jsonl
from backend.core.disk.notices import Notices
from backend.core.limits import Whole
from backend.inference.requests import PlainText

Winner = Literal["base", "adapter", "tie"]
_Z = 1.959963984540054  # The 97.5th percentile of the normal law.
Text = Annotated[PlainText, Field(max_length=100_000)]


class Vote(BaseModel):
    """Which answer was preferred while their names were hidden. `prompt` is kept for a later look.

    `base_first` is whether the base's answer stood first, so that a habit of choosing one place can
    be seen.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    model_name: str = Field(min_length=1, max_length=4096)
    adapter_name: str = Field(min_length=1, max_length=4096)
    checkpoint: str | Whole | None = None
    winner: Winner
    base_first: bool
    prompt: Text = ""


class Standing(BaseModel):
    """One adapter against its base. `win_rate` is the adapter's share of the votes that chose a
    side, from 0 to 1, with its 95 % Wilson interval; null before the first of them.
    """

    model_name: str
    adapter_name: str
    votes: int
    adapter_wins: int
    base_wins: int
    ties: int
    win_rate: float | None
    low: float | None
    high: float | None
    first_chosen: int


class Standings(BaseModel):
    """`unreadable`: lines of the file that are no votes and are not counted."""

    standings: list[Standing]
    unreadable: int = 0


class Arena:
    """Votes in `<data>/arena.jsonl`, one per line. Blocking."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "arena.jsonl"
        self._lock = threading.Lock()
        self._notices = Notices(data_dir)

    def vote(self, vote: Vote) -> Standing:
        """Keep the vote, and answer where its two stand now."""
        line = vote.model_dump(mode="json") | {"at": datetime.now(UTC).isoformat()}
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self._path) and not _is_plain(self._path):
                text = f"{self._path.name} is not a regular file."
                self._notices.set_aside(self._path, text, "A new file of votes was begun.")
            append_jsonl(self._path, line)
        mine = [one for one in self._votes()[0] if _pair(one) == _pair(vote)]
        return _standing(mine)

    def standings(self) -> Standings:
        """Every pair that was voted on, most votes first."""
        pairs: dict[tuple[str, str], list[Vote]] = {}
        votes, unreadable = self._votes()
        for vote in votes:
            pairs.setdefault(_pair(vote), []).append(vote)
        results = [_standing(votes) for votes in pairs.values()]
        results.sort(key=lambda one: (-one.votes, one.adapter_name))
        return Standings(standings=results, unreadable=unreadable)

    def _votes(self) -> tuple[list[Vote], int]:
        """The votes, and how many lines are none: of another version, or torn by a crash."""
        votes: list[Vote] = []
        tail, refused = JsonlTail(self._path), 0
        try:
            for line in tail.read_all():
                if isinstance(line, dict):
                    line.pop("at", None)
                try:
                    votes.append(Vote.model_validate_json(json.dumps(line)))
                except ValidationError:
                    refused += 1
        except OSError as problem:
            text = f"{self._path.name} can't be read: {problem.strerror}."
            self._notices.report(self._path, text, "No votes are counted.")
        if unreadable := refused + tail.skipped:
            text = f"{unreadable} of the lines of {self._path.name} can't be read."
            self._notices.report(self._path, text, "They are not counted as votes.")
        return votes, unreadable


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def wilson(wins: int, decided: int) -> tuple[float, float] | None:
    """The 95 % score interval of a share (Wilson 1927); None without any decision."""
    if decided == 0:
        return None
    share, spread = wins / decided, _Z * _Z / decided
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / decided + spread / (4 * decided))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return max(0.0, low), min(1.0, high)


def _pair(vote: Vote) -> tuple[str, str]:
    return vote.model_name, vote.adapter_name


def _standing(votes: list[Vote]) -> Standing:
    wins = sum(vote.winner == "adapter" for vote in votes)
    losses = sum(vote.winner == "base" for vote in votes)
    bounds = wilson(wins, wins + losses)
    return Standing(
        model_name=votes[0].model_name,
        adapter_name=votes[0].adapter_name,
        votes=len(votes),
        adapter_wins=wins,
        base_wins=losses,
        ties=len(votes) - wins - losses,
        win_rate=wins / (wins + losses) if bounds else None,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        first_chosen=sum(
            vote.winner != "tie" and (vote.winner == "base") == vote.base_first for vote in votes
        ),
    )
