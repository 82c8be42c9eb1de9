from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.core import process
from backend.core.process import MARK, Child, Identity, find_marked, run_child, spawn, works_on
from backend.core.spare import Kind, Spare
from backend.settings import CHECKOUT
from tests.core.test_process import becomes_true

MODULE = "tests.fakes.told"
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"}
KIND = Kind(
    python=sys.executable, cwd=CHECKOUT, env=ENV, modules=frozenset({MODULE}), imports=("json",),
    idle=60.0,
)  # fmt: skip


@pytest.fixture
def spare() -> Iterator[Spare[Any]]:
    yield process.spare
    process.spare.end()
    process.spare.works = True


def waiting(spare: Spare[Any], kind: Kind = KIND) -> int:
    spare.begin(kind)
    assert becomes_true(spare.ready)
    pid = spare.pid()
    assert pid is not None
    return pid


def told(folder: Path, *words: str, mark: str | None = None, **env: str) -> Child:
    argv = [sys.executable, "-m", MODULE, *words]
    log = folder / "log"
    return spawn(argv, cwd=CHECKOUT, env=ENV | env, log_path=log, mark=mark or str(folder))


def said(folder: Path) -> dict[str, Any]:
    log = folder / "log"
    assert becomes_true(lambda: log.read_text().endswith("}\n"))
    error, line = log.read_text().splitlines()
    assert error == "an error"
    answer: dict[str, Any] = json.loads(line)
    return answer


def ended(pid: int) -> Callable[[], bool]:
    return lambda: (
        not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    )


def test_what_takes_it_over_is_as_if_it_were_started_afresh(
    tmp_path: Path, spare: Spare[Any]
) -> None:
    made = []
    for name in ("fresh", "taken"):
        folder = tmp_path / name
        folder.mkdir()
        pid = waiting(spare) if name == "taken" else None
        child = told(folder, "go", str(folder), mark="m", WANDB_API_KEY="a key")
        answer = said(folder)
        assert answer.pop("pid") == child.identity.pid == answer.pop("session")
        assert pid in (None, child.identity.pid)
        while child.alive():
            os.sched_yield()
        assert child.exit_code() == 3
        answer["argv"].remove(str(folder))
        made.append(answer)
    fresh, taken = made
    assert taken == fresh
    assert taken["env"]["WANDB_API_KEY"] == "a key"
    assert spare.pid() is None


def test_a_secret_is_not_in_one_that_waits(spare: Spare[Any]) -> None:
    pid = waiting(spare)
    environment = psutil.Process(pid).environ()
    assert "WANDB_API_KEY" not in environment
    assert environment[MARK].startswith(f"spare-{os.getpid()}-")


def test_it_is_found_by_its_mark_and_killed_with_all_it_started(
    tmp_path: Path, spare: Spare[Any]
) -> None:
    pid = waiting(spare)
    child = told(tmp_path, "family")
    away = said(tmp_path)["away"]

    (found,) = {find_marked(str(tmp_path))}
    assert found is not None
    assert found.pid == child.identity.pid == pid
    assert works_on(child.identity, tmp_path)
    assert not works_on(child.identity, tmp_path / "another")
    adopted = Child(Identity(pid, child.identity.started + 86_400, str(tmp_path)))
    assert adopted.alive()  # By the mark, after the clock was changed.

    adopted.kill()

    assert child.exit_code() == -signal.SIGKILL
    assert becomes_true(ended(away))


async def test_a_short_child_gets_its_json_and_answers(spare: Spare[Any]) -> None:
    pid = waiting(spare)
    argv = [sys.executable, "-m", MODULE, "stdin"]
    done = await run_child(argv, cwd=CHECKOUT, env=ENV, deadline=20, stdin_json={"text": "ü"})
    answer = json.loads(done.stdout)
    assert json.loads(answer["stdin"]) == {"text": "ü"}
    assert (answer["pid"], done.exit_code, done.stderr) == (pid, 3, "an error\n")


def test_one_that_talks_has_its_pipes(tmp_path: Path, spare: Spare[Any]) -> None:
    pid = waiting(spare)
    argv = [sys.executable, "-m", MODULE, "echo"]
    child, stdin, stdout = process.spawn_talking(
        argv, cwd=CHECKOUT, env=ENV, log_path=tmp_path / "log", mark="talks"
    )
    with stdin, stdout:
        assert json.loads(stdout.readline())["pid"] == pid == child.identity.pid
        stdin.write(b"hello\n")
        stdin.flush()
        assert stdout.readline() == b"HELLO\n"
        stdin.close()
        assert stdout.read() == b""
    assert becomes_true(lambda: child.exit_code() == 3)
    assert (tmp_path / "log").read_text() == "an error\n"


@pytest.mark.parametrize(
    ("words", "env", "mark"),
    [
        (["-m", MODULE, "go"], {"OPENBLAS_NUM_THREADS": "9"}, "m"),
        (["-m", MODULE, "go"], {}, "m" * 5000),
        (["-c", "print('{}')"], {}, "m"),
        (["-m", "json.tool", "--help"], {}, "m"),
    ],
    ids=["environment", "long mark", "code", "module"],
)
def test_what_does_not_fit_is_started_afresh(
    tmp_path: Path, spare: Spare[Any], words: list[str], env: dict[str, str], mark: str
) -> None:
    pid = waiting(spare)
    child = spawn(
        [sys.executable, *words], cwd=CHECKOUT, env=ENV | env, log_path=tmp_path / "log", mark=mark
    )
    assert child.identity.pid != pid
    assert spare.pid() == pid
    child.kill()


def test_one_that_has_died_is_replaced_by_a_fresh_one(tmp_path: Path, spare: Spare[Any]) -> None:
    pid = waiting(spare)
    os.kill(pid, signal.SIGKILL)
    assert becomes_true(ended(pid))
    child = told(tmp_path, "go")
    assert said(tmp_path)["pid"] == child.identity.pid != pid
    child.kill()


def test_one_that_can_not_carry_its_mark_begins_nothing(
    tmp_path: Path, spare: Spare[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "_marked", lambda *_: False)
    pid = waiting(spare)
    child = told(tmp_path, "go")
    assert said(tmp_path)["pid"] == child.identity.pid != pid  # And said once, not twice.
    child.kill()
    assert not psutil.pid_exists(pid)
    spare.begin(KIND)
    assert spare.pid() is None


def test_it_ends_unused_with_its_time_and_with_the_server(spare: Spare[Any]) -> None:
    pid = waiting(spare, replace(KIND, idle=0.0))
    assert becomes_true(lambda: spare.pid() is None)
    assert not psutil.pid_exists(pid)

    pid = waiting(spare)
    assert spare._waiting is not None
    spare._waiting.talk.close()  # As the system does when the server dies.
    assert becomes_true(ended(pid))
