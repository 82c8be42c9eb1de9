from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.server import CHECKOUT, DEMO, Server, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path / "data root") as running:
        yield running


@pytest.fixture
def demo_request() -> dict[str, Any]:
    """A short run on the demo data: a few seconds, two validations, two checkpoints."""
    chat = CHECKOUT / "test_data" / "demo" / "chat"
    return {
        "model_path": str(DEMO),
        "train_data_path": str(chat / "train.jsonl"),
        "val_data_path": str(chat / "valid.jsonl"),
        "adapter_name": "short_run",
        "iterations": 20,
        "batch_size": 4,
        "max_seq_length": 256,
        "steps_per_report": 2,
        "steps_per_eval": 10,
        "save_every": 10,
    }
