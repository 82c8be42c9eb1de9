"""A newer version over the data folder of an older one: all is there, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from backend.settings import Settings
from tests.api.live import serving
from tests.cli.conftest import Run
from tests.jobs.test_upgrade import ID, plant

# What every start of a service writes anew.
_OWN = ("server.lock", ".server.lock", "backend.log", "latest.json")


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name not in _OWN and ".cache" not in path.parts
    }


def test_an_older_data_folder_is_kept_whole(
    settings: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(settings, "sft")
    for name, text in {
        "exports/old-gguf/model.gguf": "GGUF", "models/own/config.json": "{}",
        "datasets/mine.jsonl": '{"text": "a"}\n', "comparisons/of-a-later-day.bin": "?",
        "sessions/session_reference.json": '{"session_id": "reference", "training_state": "idle"}',
    }.items():  # fmt: skip
        path = settings.data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = digests(settings.data_dir)

    with serving(settings) as live:
        monkeypatch.setenv("DROID_URL", live.url)
        runs = json.loads(run("list", "--json").out)["sessions"]
        adapters = json.loads(run("list", "adapters", "--json").out)["adapters"]
        said = run("watch", ID[:8])

    assert [one["training_state"] for one in runs if one["session_id"] == ID] == ["completed"]
    assert "old" in [one["name"] for one in adapters]
    assert said.code == 0
    assert digests(settings.data_dir) == before
