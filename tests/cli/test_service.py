"""The service behind the commands: real processes on free ports."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from backend.cli import service
from backend.cli.service import NoService, connect, end_service, find_service, start_service
from backend.settings import Settings, read_settings
from tests.cli.conftest import Run


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return read_settings({}, data_dir=str(tmp_path / "data root"), port=0)


def test_one_service_is_started_found_again_and_ended(own: Settings) -> None:
    """Port 8000 is another program's: a free one is taken."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        client, started = connect(replace(own, port=taken), url=None, port_chosen=False)
    try:
        assert started
        assert not client.url.endswith(f":{taken}")
        again, started = connect(own, url=None, port_chosen=False)
        assert (again.url, started) == (client.url, False)
    finally:
        assert end_service(own) == client.url
    assert find_service(own) is None
    assert end_service(own) is None


def test_a_port_that_was_chosen_and_is_taken_is_told(own: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(NoService, match=f"Port {taken} is already in use by another program"):
            start_service(replace(own, port=taken), port_chosen=True)


def test_a_data_root_that_cannot_be_is_one_sentence(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    said = run("list", "--data-dir", str(file / "data"))

    assert said.code == 3
    assert said.err.startswith(f"The data root {file / 'data'} can't be used: Not a directory")
    assert said.err.count("\n") == 1


def test_nothing_runs_so_nothing_is_ended(run: Run) -> None:
    said = run("stop", "service")

    assert (said.code, said.out) == (0, "No service runs.\n")


def test_a_stale_lock_ends_no_other_process(own: Settings) -> None:
    """A pid that another process has by now."""
    own.sessions_dir.mkdir(parents=True)
    path = service.lock_path(own)
    path.write_text('{"pid": 1, "started": 5.0, "url": "http://127.0.0.1:9"}')

    assert end_service(own) is None
    assert find_service(own) is None
