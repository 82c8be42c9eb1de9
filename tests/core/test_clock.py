from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from backend.core import clock
from backend.core.clock import SteadyClock

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Hands:
    """The machine's two clocks, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.monotonic = START, 100.0
        hands = self

        class Wall(datetime):
            @classmethod
            def now(cls, _: object = None) -> datetime:  # type: ignore[override]
                return hands.wall

        monkeypatch.setattr(clock, "datetime", Wall)
        monkeypatch.setattr(time, "monotonic", lambda: hands.monotonic)

    def pass_by(self, seconds: float, *, wall: float | None = None) -> None:
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds if wall is None else wall)


def test_time_goes_on_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(monkeypatch)
    steady = SteadyClock()

    hands.pass_by(10)
    assert steady.now() == START + timedelta(seconds=10)
    hands.pass_by(5, wall=-3600)
    assert steady.now() == START + timedelta(seconds=15)
    hands.pass_by(5, wall=3605)  # Set right again.
    assert steady.now() == START + timedelta(seconds=20)


def test_the_hours_of_a_machine_asleep_count(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(monkeypatch)
    steady = SteadyClock()

    hands.pass_by(1, wall=7200)

    assert steady.now() == START + timedelta(hours=2)


def test_nothing_is_before_what_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(monkeypatch)
    first = START + timedelta(days=1)
    steady = SteadyClock(after=first)

    hands.pass_by(2)

    assert steady.now() == first + timedelta(seconds=2)
