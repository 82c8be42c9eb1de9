from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.cli.client import Client, Refused
from backend.settings import Settings, read_settings
from scripts.start import end as end_command
from scripts.start import serve
from scripts.start.demo import demo_request, free_name
from scripts.start.options import Options, read_options
from scripts.start.record import Known, Record, drop_record, end, known, read_record, write_record
from scripts.start.service import announced_url
from scripts.start.window import open_window

MODEL = {"name": "droid-demo", "path": "/models/droid-demo", "problem": None}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = read_settings({}, data_dir=str(tmp_path))
    found.logs_dir.mkdir()
    found.sessions_dir.mkdir()
    return found


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_options_are_what_the_help_says() -> None:
    assert read_options([]) == Options(port=None, window=True, demo=False, cuda=False)
    assert read_options(["--no-window", "--demo", "--port", "0"]) == Options(0, False, True, False)


def test_the_demo_request_takes_the_models_own_defaults(tmp_path: Path) -> None:
    model = {**MODEL, "defaults": {"iterations": 120, "adapter_name": "demo"}}

    assert demo_request([model], tmp_path) == {
        "model_path": "/models/droid-demo",
        "iterations": 120,
        "adapter_name": "demo",
    }


def test_a_second_demo_gets_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo-2").mkdir()

    assert free_name("demo", tmp_path) == "demo-3"


@pytest.mark.parametrize(
    "models",
    [[], [{**MODEL, "defaults": None}], [{**MODEL, "problem": "no weights", "defaults": {}}]],
)
def test_a_demo_model_that_cannot_be_used_is_refused(
    models: list[dict[str, object]], tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="droid-demo can't be used"):
        demo_request(models, tmp_path)


def test_what_was_started_is_found_again_and_ended(
    settings: Settings, sleeper: subprocess.Popen[bytes]
) -> None:
    record = Record("http://127.0.0.1:1", known(sleeper.pid), known(os.getpid()))
    write_record(settings.logs_dir, record)

    assert read_record(settings) == record
    assert end(record.server, patience=10)
    sleeper.wait(10)
    assert not end(record.server, patience=10)


def test_a_recycled_pid_is_never_ended(sleeper: subprocess.Popen[bytes]) -> None:
    other = Known(sleeper.pid, known(sleeper.pid).started - 100)

    assert not end(other, patience=1)
    assert sleeper.poll() is None


def test_a_record_of_processes_that_are_gone_says_nothing(settings: Settings) -> None:
    gone = Known(os.getpid(), 1.0)
    write_record(settings.logs_dir, Record("http://127.0.0.1:1", gone, gone))

    assert read_record(settings) is None
    drop_record(settings.logs_dir)
    assert read_record(settings) is None


def test_a_server_that_was_started_in_another_way_is_known_by_its_lock(
    settings: Settings, sleeper: subprocess.Popen[bytes]
) -> None:
    me = known(sleeper.pid)
    lock = {"pid": me.pid, "started": me.started, "url": "http://127.0.0.1:8000"}
    (settings.sessions_dir / "server.lock").write_text(json.dumps(lock))

    record = read_record(settings)

    assert record is not None
    assert record.server == me
    assert record.url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--port", "9999"], "It does not move to port 9999: end it first, with ./killmlxnew."),
        (["--port", "8000"], ""),
        (["--port", "0"], ""),
        ([], ""),
    ],
)
def test_a_port_asked_of_a_service_that_runs_elsewhere_is_not_passed_over(
    settings: Settings, flags: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Client("http://127.0.0.1:8000", None)

    assert serve.use_running(client, read_options(["--no-window", *flags]), settings) == 0

    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "Droid FineTuning is already running at http://127.0.0.1:8000"
    assert [line.strip() for line in rest] == ([told] if told else [])


def test_ending_with_settings_that_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROID_PORT", "abc")
    monkeypatch.setattr(sys, "argv", ["killmlxnew"])

    assert end_command.main() == 1

    assert capsys.readouterr().err == "Port 'abc' is not a number from 0 to 65535.\n"


def test_nobody_at_the_address_is_not_healthy() -> None:
    assert not Client("http://127.0.0.1:9", None).healthy()


TOKEN = "a token of 22 or more & odd / signs"


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser's opener that writes down what it is given, and the file it writes to."""
    said = tmp_path / "said"
    os.mkfifo(said)
    program = tmp_path / ("open" if sys.platform == "darwin" else "xdg-open")
    program.write_text(f'#!/bin/sh\nprintf "%s\\n%s" "$DROID_URL" "$DROID_TOKEN$1" > "{said}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":99")
    for name in ("DROID_ELECTRON", "DROID_TOKEN", "DROID_URL"):
        monkeypatch.delenv(name, raising=False)
    return said


def test_the_browser_gets_the_token_and_the_terminal_does_not(
    opener: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "http://127.0.0.1:8000"

    open_window(url, TOKEN)

    query = "token=a%20token%20of%2022%20or%20more%20%26%20odd%20%2F%20signs"
    assert opener.read_text() == f"\n{url}/?{query}"
    assert capsys.readouterr().out == f"  Opened {url} in the browser.\n"


def test_without_a_token_the_address_is_plain(opener: Path) -> None:
    open_window("http://127.0.0.1:8000", None)

    assert opener.read_text() == "\nhttp://127.0.0.1:8000"


def test_the_desktop_window_gets_address_and_token(
    opener: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token may stand in `.env`, which the window does not read."""
    monkeypatch.setenv("DROID_ELECTRON", str(next(opener.parent.glob("*open"))))

    window = open_window("http://127.0.0.1:8000", TOKEN)

    assert window is not None
    url, _, rest = opener.read_text().partition("\n")
    assert url == "http://127.0.0.1:8000"
    assert rest.startswith(TOKEN)
    assert window.wait(10) == 0


def test_a_server_whose_output_has_no_room_is_found_by_its_lock(settings: Settings) -> None:
    settings.sessions_dir.mkdir(parents=True, exist_ok=True)
    lock = settings.sessions_dir / "server.lock"
    lock.write_text('{"pid": 17, "url": "http://127.0.0.1:9"}')

    assert announced_url([], 17, settings) == "http://127.0.0.1:9"
    assert announced_url([], 18, settings) is None, "another server's"
    assert (
        announced_url(["Listening on http://127.0.0.1:8\n"], 18, settings) == "http://127.0.0.1:8"
    )
