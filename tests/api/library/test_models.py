"""Models over HTTP: their facts, and what LoRA can attach to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from backend.core import process
from backend.jobs.queue import WaitingRun
from backend.training.lora import inspector
from tests.api.live import Live
from tests.models.folders import model_folder

TREE = {
    "architecture": "qwen2",
    "num_layers": 1,
    "others": [],
    "parameters": 100,
    "block_parameters": [60],
    "modules": [
        {"layer": 0, "name": "self_attn.k_proj", "inputs": 8, "outputs": 4, "copies": 1},
    ],
}


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def answer(*_: Any, **__: Any) -> process.CompletedChild:
        return process.CompletedChild(0, json.dumps(TREE).encode(), "")

    monkeypatch.setattr(inspector, "run_child", answer)
    monkeypatch.setattr(inspector, "engine_environment", lambda _: {})
    yield


@pytest.mark.usefixtures("tree")
def test_a_matrix_has_its_sizes_under_the_names_of_the_contract(live: Live) -> None:
    model_folder(live.settings.data_dir / "models" / "listed")

    for _ in range(2):  # Worked out, then from what was kept.
        (key,) = live.client.get("/models/listed/lora").json()["keys"]
        assert {name: key[name] for name in ("name", "group", "modules", "in", "out")} == {
            "name": "self_attn.k_proj",
            "group": "attention",
            "modules": 1,
            "in": 8,
            "out": 4,
        }
        assert not {"inputs", "outputs"} & set(key)


@pytest.mark.usefixtures("tree")
def test_a_model_outside_the_searched_folders_is_described_by_its_path(
    live: Live, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path / "else where" / "opened")

    facts = live.client.get("/models/describe", params={"path": str(folder)}).json()
    targets = live.client.get(f"/models/{quote(str(folder), safe='')}/lora").json()

    assert (facts["name"], facts["path"], facts["problem"]) == ("opened", str(folder), None)
    assert (facts["num_layers"], facts["context_length"]) == (2, 128)
    assert [key["name"] for key in targets["keys"]] == ["self_attn.k_proj"]
    listed = live.client.get("/models").json()["models"]
    assert "opened" not in [model["name"] for model in listed]


def test_a_folder_that_is_no_model_says_why(live: Live, tmp_path: Path) -> None:
    facts = live.client.get("/models/describe", params={"path": str(tmp_path)}).json()
    missing = live.client.get("/models/describe", params={"path": str(tmp_path / "gone")})

    assert "no config.json" in facts["problem"]
    assert missing.status_code == 404
    assert str(tmp_path / "gone") in missing.json()["detail"]


def test_a_model_is_deleted_unless_a_waiting_run_needs_it(live: Live) -> None:
    folder = model_folder(live.settings.data_dir / "models" / "to delete")
    queue = live.services.queue
    waiting = WaitingRun(
        session_id=str(uuid.uuid4()),
        adapter_name="waits",
        model_name="to delete",
        method="sft",
        total_steps=1,
        queued_at=datetime.now(UTC),
        request={"model_path": str(folder)},
    )

    async def wait() -> None:
        await queue.add(waiting)
        queue.hold()

    live.do(wait())
    try:
        refused = live.client.delete("/models/to delete")
        assert refused.status_code == 409
        assert "a run in the queue needs it" in refused.json()["detail"]
        assert folder.is_dir()
    finally:
        live.do(queue.remove(waiting.session_id))

    listed = {model["name"]: model for model in live.client.get("/models").json()["models"]}
    assert listed["to delete"]["own"] is True
    assert live.client.delete("/models/to delete").json()["deleted"] == "to delete"
    assert not folder.exists()
    assert live.client.delete("/models/to delete").status_code == 404
