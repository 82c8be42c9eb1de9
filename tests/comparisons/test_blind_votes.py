"""Votes are kept, and a win rate says how sure it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.comparisons.blind_votes import Arena, Vote, Winner, wilson


def vote(winner: Winner, *, adapter: str = "captain", base_first: bool = True) -> Vote:
    return Vote(model_name="demo", adapter_name=adapter, winner=winner, base_first=base_first)


def test_the_interval_is_wilsons() -> None:
    # Of 10, 8: 0.4902 to 0.9433, as in Wilson's tables (Brown, Cai and DasGupta 2001).
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 5) == pytest.approx((0.0, 0.4345), abs=1e-4)
    assert wilson(0, 0) is None


def test_ties_are_counted_and_decide_nothing(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    assert arena.vote(vote("tie")).win_rate is None
    arena.vote(vote("adapter"))
    found = arena.vote(vote("base"))
    assert (found.votes, found.ties, found.win_rate) == (3, 1, 0.5)


def test_pairs_are_kept_apart_and_survive_a_restart(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    arena.vote(vote("adapter"))
    arena.vote(vote("adapter"))
    arena.vote(vote("base", adapter="parrot"))
    again = Arena(tmp_path).standings().standings
    assert [(one.adapter_name, one.votes, one.win_rate) for one in again] == [
        ("captain", 2, 1.0),
        ("parrot", 1, 0.0),
    ]


def test_a_habit_of_choosing_the_first_place_shows(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    arena.vote(vote("base", base_first=True))
    arena.vote(vote("adapter", base_first=False))
    assert arena.vote(vote("adapter", base_first=True)).first_chosen == 2


def test_a_torn_line_loses_only_itself(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    arena.vote(vote("adapter"))
    with (tmp_path / "arena.jsonl").open("a") as file:
        file.write('{"model_name": "demo", "adap')
    assert arena.vote(vote("base")).votes == 2
