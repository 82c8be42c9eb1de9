"""The command line against a real service and engine: what a newcomer does first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.cli.main import main
from tests.service.server import running_server

pytestmark = pytest.mark.engine


def test_the_demo_is_trained_watched_and_asked_by_three_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path / "data root") as server:
        monkeypatch.setenv("DROID_URL", server.url)
        monkeypatch.setattr("backend.cli.follow._AWAY_FOR", 15.0)
        short = ["--iterations", "4", "--set", "steps_per_report=2", "--set", "steps_per_eval=4"]

        assert main(["train", "--demo", *short, "--set", "val_batches=1", "--json"]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["step"] for one in lines if one["type"] == "metrics"] == [2, 4]
        assert [one["type"] for one in lines].count("validation") >= 2
        assert lines[-1]["state"] == "completed"
        name = lines[-1]["adapter_name"]

        assert main(["watch", name]) == 0
        assert capsys.readouterr().out.startswith(f"{name}: completed after ")

        assert main(["ask", "Who are you?", "--max-tokens", "8", "--temperature", "0"]) == 0
        assert capsys.readouterr().out.strip()
