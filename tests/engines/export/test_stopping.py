"""An export that is ended at any moment leaves nothing half-finished and its sources as before."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.contract.export.request import STAGING, ExportFormat
from backend.engines.export import run as export
from backend.engines.process.endings import Unusable
from tests.engines.export.exporting import adapter_of, prepare, request, run
from tests.engines.export.gguf_models import gguf_model
from tests.engines.running import environment, events_of
from tests.house.sources import CHECKOUT

pytestmark = pytest.mark.engine
DEADLINE = 120.0


def files_of(*folders: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file()}


def end(job: Path, moment: str, with_signal: signal.Signals) -> int:
    """Start the export, and send the signal right after its first event of that kind or name."""
    with (job / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.engines.export", str(job)],
            cwd=CHECKOUT, env=environment(), stdout=log, stderr=log,
        )  # fmt: skip
    try:
        limit = time.monotonic() + DEADLINE
        while not any(moment in (e["type"], e.get("name")) for e in events_of(job)):
            assert process.poll() is None, (job / "log").read_text()
            assert time.monotonic() < limit
            time.sleep(0.005)
        process.send_signal(with_signal)
        return process.wait(DEADLINE)
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("merged", "loading model"), ("gguf_q8", "progress"), ("merged_q4", "testing")],
)
def test_a_stop_at_any_moment_leaves_nothing(
    tmp_path: Path, kind: ExportFormat, moment: str
) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    adapter = adapter_of(tmp_path, model)
    before = files_of(model, adapter)
    job = prepare(tmp_path, request(tmp_path, model, adapter, format=kind))

    code = end(job, moment, signal.SIGTERM)

    exports = tmp_path / "exports"
    assert (code, events_of(job)[-1]["state"]) == (0, "stopped")
    assert not exports.exists() or list(exports.iterdir()) == []
    assert files_of(model, adapter) == before


def test_a_kill_leaves_no_export_and_what_is_left_is_named_as_such(tmp_path: Path) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    adapter = adapter_of(tmp_path, model)
    before = files_of(model, adapter)
    job = prepare(tmp_path, request(tmp_path, model, adapter))

    end(job, "progress", signal.SIGKILL)

    left = [path.name for path in (tmp_path / "exports").iterdir()]
    assert all(re.fullmatch(STAGING, name) for name in left)
    assert not (job / "result.json").exists()
    assert files_of(model, adapter) == before


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    monkeypatch.setattr(export, "needed_bytes", lambda _request: 1 << 60)

    with pytest.raises(Unusable, match=r"The export needs .* are free"):
        run(tmp_path, request(tmp_path, model))

    assert not (tmp_path / "exports").exists() or list((tmp_path / "exports").iterdir()) == []
