"""A few kills of the loop that `npm run reliability` runs at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.reliability.loop import kill_loop
from scripts.reliability.plan import Kill

pytestmark = pytest.mark.engine

KILLS = [
    Kill(
        number=0, moment="best", victim="both", overwrite=True, delay=0.0, again=None,
        save=False, stop_after=False,
    ),
    Kill(
        number=1, moment="stop", victim="server", overwrite=True, delay=0.0, again=None,
        save=False, stop_after=False,
    ),
]  # fmt: skip


def test_an_adapter_that_is_overwritten_outlives_kills_of_server_and_engine(
    tmp_path: Path,
) -> None:
    with kill_loop(tmp_path / "data root") as loop:
        outcomes = [loop.once(kill) for kill in KILLS]

    assert outcomes == ["interrupted, adapter old", "stopped, adapter old"]
