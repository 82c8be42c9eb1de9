"""Size, hygiene and honesty of the files themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT, committed, name_of, under

CAPS = {".py": 400, ".ts": 400, ".tsx": 250, ".mjs": 400, ".css": 400}
GENERATED = ("frontend/src/api/generated", "frontend/openapi.json")
TEXT = {".py", ".ts", ".tsx", ".mjs", ".js", ".json", ".md", ".toml", ".sh", ".css", ".html", ""}
TEXT |= {".yml", ".yaml", ".lock", ".svg"}
# Written so that this file does not hold what it looks for.
HOME_FOLDERS = re.compile("/" + r"(?:home|Users)/(?!you\b|me\b|\.\.\.)[a-z][\w.-]*/")
SECRETS = re.compile(r"hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY")
SKIPS = re.compile(
    r"pytest\.mark\.skip\(|pytest\.mark\.xfail|pytest\.skip\(|\b(?:it|test|describe)\.(?:skip|only|todo)\b"
)
SHELL = ("startmlxnew", "killmlxnew", ".ci/run", "scripts/setup.sh", "scripts/lock.sh")


def _texts() -> Iterator[tuple[Path, str]]:
    for path in committed():
        if path.suffix in TEXT and not name_of(path).startswith(("test_data/", *GENERATED)):
            yield path, path.read_text(encoding="utf-8", errors="replace")


def test_no_file_is_longer_than_its_cap() -> None:
    long = [
        f"{name_of(path)}: {text.count(chr(10))} lines, at most {CAPS[path.suffix]}"
        for path, text in _texts()
        if path.suffix in CAPS and text.count("\n") > CAPS[path.suffix]
    ]

    assert not long


def test_rooms_are_named_for_what_is_in_them() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "manager2"}

    assert not [name_of(path) for path in committed() if path.stem in banned]


def test_every_python_file_says_why_it_exists() -> None:
    sources = [*under("backend", ".py"), *under("scripts", ".py")]
    silent = [
        name_of(path)
        for path in sources
        if path.read_text(encoding="utf-8").strip()
        and not path.read_text(encoding="utf-8").lstrip().startswith('"""')
    ]

    assert not silent


def test_nothing_is_left_as_a_skeleton() -> None:
    unfinished = [
        name_of(path)
        for path in [*under("backend", ".py"), *under("scripts", ".py")]
        if '"""skeleton"""' in path.read_text(encoding="utf-8")
        or "raise NotImplementedError" in path.read_text(encoding="utf-8")
    ]

    assert not unfinished


def test_no_test_is_skipped_in_silence() -> None:
    here = name_of(Path(__file__))
    found = [
        f"{name_of(path)}: {match.group()}"
        for path, text in _texts()
        if name_of(path) != here and ("test" in path.name or "tests/" in name_of(path))
        for match in SKIPS.finditer(text)
    ]

    assert not found


def test_no_file_names_somebodys_home_folder_or_holds_a_secret() -> None:
    here = name_of(Path(__file__))
    found = [
        f"{name_of(path)}: {match.group()}"
        for path, text in _texts()
        if name_of(path) != here
        for pattern in (HOME_FOLDERS, SECRETS)
        for match in pattern.finditer(text)
    ]

    assert not found


def test_what_the_app_writes_is_not_committed() -> None:
    written = ("adapters/", "exports/", "models/", "datasets/", "test-results/", ".cache/", ".env")
    kept = {"sessions/.gitkeep", "logs/.gitkeep"}
    names = {name_of(path) for path in committed()}

    assert not [name for name in names if name.startswith(written)]
    assert {name for name in names if name.startswith(("sessions/", "logs/"))} <= kept


@pytest.mark.parametrize("name", SHELL)
def test_a_command_is_sound_bash(name: str) -> None:
    path = CHECKOUT / name
    checker = shutil.which("shellcheck")
    command = [checker, "--external-sources", str(path)] if checker else ["bash", "-n", str(path)]

    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert path.stat().st_mode & 0o100, f"{name} can't be run"
    assert not re.search(r"mapfile|readarray|declare -A|\$\{\w+(?:,,|\^\^)\}", path.read_text())


def test_the_locks_fit_what_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.check.locks"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
