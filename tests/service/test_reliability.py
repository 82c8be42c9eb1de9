"""A few kills of the loop that `npm run reliability` runs at length, and one of a run in a process
that had waited for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.process import MARK
from scripts.bench.peers.first_metric import spare_of
from scripts.reliability.loop import kill_loop
from scripts.reliability.plan import Kill
from tests.core.test_process import becomes_true
from tests.service.server import running_server, start_server

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


def test_a_run_takes_over_the_waiting_engine_and_is_adopted_after_a_kill(
    tmp_path: Path, demo_request: dict[str, Any]
) -> None:
    root = tmp_path / "data root"
    request = {**demo_request, "iterations": 400, "steps_per_report": 1}
    first = start_server(root, env={"DROID_SPARE_MINUTES": "5"})
    first.post("/training/preview", request)
    waiting = spare_of(first.process.pid)

    session = first.post("/training/start", request)["session_id"]

    status = first.get("/training/status")
    assert status["pid"] == waiting.pid
    assert waiting.environ()[MARK] == str((root / "sessions" / session).resolve())
    first.kill()
    with running_server(root, env={"DROID_SPARE_MINUTES": "5"}) as second:
        adopted = second.get("/training/status")
        assert (adopted["session_id"], adopted["pid"]) == (session, waiting.pid)
        assert becomes_true(
            lambda: second.get("/training/status")["metrics"]["train_loss"] is not None
        )
        second.post("/training/stop", {"save": True})
        assert becomes_true(lambda: second.get("/training/status")["state"] == "stopped")
    log = (root / "sessions" / session / "train.log").read_text(encoding="utf-8")
    assert "Val loss" in log
