from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from backend.cli import follow
from backend.cli.main import main
from tests.cli.fake_service import FakeService, fake_service


class Said(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DROID_URL", "DROID_TOKEN", "DROID_PORT", "DROID_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DROID_DATA_DIR", str(tmp_path / "data root"))
    monkeypatch.setattr(follow, "_TICK", 0.001)
    monkeypatch.setattr(follow, "_AWAY_FOR", 0.0)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    with fake_service() as fake:
        monkeypatch.setenv("DROID_URL", fake.url)
        yield fake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Do what a command line says, in this process."""

    def do(*argv: str) -> Said:
        try:
            code = main(argv)
        except SystemExit as end:  # argparse's way to say that a word is wrong.
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return do
