"""`doctor`: what it finds, and what it says to do."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest

from backend.cli import checks
from backend.cli.checks import Check, examine
from backend.settings import Settings
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLX is really asked in tests/cli/test_demo.py."""
    fine = [Check("MLX", "ok", "mlx 0.32.4"), Check("Device", "ok", "cpu")]
    monkeypatch.setattr(checks, "_engines", lambda _: iter(fine))


def problems(found: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in found if check.level != "ok"}


def test_a_machine_that_can_train_is_told_so(run: Run) -> None:
    said = run("doctor")

    assert said.code == 0
    assert said.out.splitlines()[-1] == "This machine can train."
    names = [line.split()[1] for line in said.out.splitlines()[:-1] if line[0] in "✓!✗"]
    assert names == ["Python", "MLX", "Device", "BLAS", "Memory", "Folders", "Disk", "Files",
                     "Service"]  # fmt: skip


def test_folders_that_cannot_be_written_are_a_problem_with_a_remedy(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    said = run("doctor", "--json", "--data-dir", str(tmp_path / "file"))

    report = json.loads(said.out)
    assert (said.code, report["healthy"]) == (1, False)
    (check,) = [one for one in report["checks"] if one["name"] == "Folders"]
    assert str(tmp_path / "file") in check["found"]
    assert "--data-dir" in check["remedy"]


def test_a_taken_port_and_a_missing_page_are_warnings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        object.__setattr__(settings, "port", port)
        object.__setattr__(settings, "ui_dir", tmp_path / "nowhere")
        found = problems(examine(settings, url=None))

    assert found["Service"].found == f"not running; another program has port {port}"
    assert found["Files"].found == "the page is not built"


def test_little_disk_and_a_slow_blas_say_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 50_000_000})
    slow = type("Slow", (), {"name": "reference", "source": "mlx's own"})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    monkeypatch.setattr(checks, "find_blas", lambda _: slow)

    found = problems(examine(settings, url=None))

    assert found["Disk"].level == "problem"
    assert found["Disk"].found == "50 MB free"
    assert "apt install libopenblas0" in (found["BLAS"].remedy or "")
