from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.core import process
from backend.core.process import Child, Identity, alive, kill, run_child, spawn
from backend.errors import EngineMissing, EngineTimeout

WAIT = "import time; time.sleep(60)"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    child = python(tmp_path, WAIT)
    yield child
    child.kill()


def python(folder: Path, code: str, *, mark: str = "test-mark") -> Child:
    return spawn(
        [sys.executable, "-c", code],
        cwd=folder, env=dict(os.environ), log_path=folder / "log", mark=mark,
    )  # fmt: skip


def test_a_child_lives_in_its_own_session_and_writes_to_its_file(tmp_path: Path) -> None:
    child = python(tmp_path, "import os,sys; print(os.getsid(0)); print('x', file=sys.stderr)")
    psutil.Process(child.identity.pid).wait()
    assert not child.alive()
    lines = (tmp_path / "log").read_text().split()
    assert sorted(lines) == sorted([str(child.identity.pid), "x"])


def test_the_exit_code_is_known_and_the_child_reaped(tmp_path: Path) -> None:
    child = python(tmp_path, "import sys; sys.exit(3)")
    while child.alive():
        os.sched_yield()
    assert child.exit_code() == 3
    assert not psutil.pid_exists(child.identity.pid)


def test_a_killed_child_tells_its_signal(sleeper: Child) -> None:
    assert sleeper.exit_code() is None
    sleeper.kill()
    assert sleeper.exit_code() == -signal.SIGKILL


def test_a_child_is_found_again_by_pid_and_start_time(sleeper: Child) -> None:
    identity = sleeper.identity
    while not psutil.Process(identity.pid).environ():  # Empty until the program is loaded.
        os.sched_yield()
    assert alive(Identity(identity.pid, identity.started))
    assert not alive(Identity(identity.pid, identity.started + 60))
    assert alive(Identity(identity.pid, identity.started + 86_400, "test-mark"))
    assert not alive(Identity(identity.pid, identity.started + 86_400, "another"))


@pytest.mark.parametrize(
    "pid",
    [0, 1, -1, True, os.getpid(), os.getppid(), 2**40],
    ids=["none", "init", "everyone", "true", "itself", "parent", "beyond"],
)
def test_no_signal_goes_to_what_is_not_a_child(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """T24, F20: whatever the record says, no signal call is made at all."""
    sent: list[object] = []
    monkeypatch.setattr(os, "kill", lambda *a: sent.append(a))
    monkeypatch.setattr(os, "killpg", lambda *a: sent.append(a))
    monkeypatch.setattr(psutil.Process, "send_signal", lambda *a: sent.append(a))
    monkeypatch.setattr(psutil.Process, "kill", lambda *a: sent.append(a))

    identity = Identity(pid, 12.0, "no-such-mark")

    assert not process.signal(identity, signal.SIGTERM)
    kill(identity)
    assert sent == []


def test_a_kill_takes_descendants_group_and_marked_ones(tmp_path: Path) -> None:
    """F19."""
    code = (
        "import subprocess, sys, time, os\n"
        f"wait = [sys.executable, '-c', {WAIT!r}]\n"
        "near = subprocess.Popen(wait)\n"
        "far = subprocess.Popen(wait, start_new_session=True)\n"
        "bare = subprocess.Popen(wait, env={})\n"
        "print(near.pid, far.pid, bare.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    child = python(tmp_path, code, mark="family")
    log = tmp_path / "log"
    assert becomes_true(lambda: log.read_text().endswith("\n"))
    pids = [child.identity.pid, *map(int, log.read_text().split())]

    child.kill()

    states = [psutil.Process(pid).status() for pid in pids if psutil.pid_exists(pid)]
    assert set(states) <= {psutil.STATUS_ZOMBIE}


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="/nowhere/python"):
        spawn(["/nowhere/python"], cwd=tmp_path, env={}, log_path=tmp_path / "l", mark="m")


def test_the_log_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("")
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        python(tmp_path, "print('x')")
    assert (tmp_path / "victim").read_text() == ""


async def ask(code: str, folder: Path, **options: object) -> process.CompletedChild:
    return await run_child(
        [sys.executable, "-c", code], cwd=folder, env=dict(os.environ),
        **{"deadline": 20.0, **options},  # type: ignore[arg-type]
    )  # fmt: skip


async def test_a_short_child_gets_json_and_answers(tmp_path: Path) -> None:
    """T11: data travels as JSON on stdin, never inside code."""
    given = {"text": '"""\'; import os  # ü'}
    done = await ask("import sys; print(sys.stdin.read())", tmp_path, stdin_json=given)
    assert json.loads(done.stdout) == given
    assert done.exit_code == 0


async def test_a_short_child_does_not_block_the_loop(tmp_path: Path) -> None:
    """F22, F37."""
    ticks = 0
    task = asyncio.create_task(ask("import time; time.sleep(0.3)", tmp_path))
    while not task.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert ticks > 5


async def test_a_child_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """F37."""
    code = (
        "import subprocess, sys, time\n"
        f"far = subprocess.Popen([sys.executable, '-c', {WAIT!r}], start_new_session=True)\n"
        "open('pid', 'w').write(str(far.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(EngineTimeout, match="did not answer"):
        await ask(code, tmp_path, deadline=1.5)
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_child_that_writes_without_end_is_capped(tmp_path: Path) -> None:
    """F37."""
    done = await ask("while True: print('x' * 10_000)", tmp_path, output_cap=100_000)
    assert done.overflowed
    assert len(done.stdout) == 100_000


async def test_a_child_that_leaves_a_grandchild_with_its_output_does_not_hang(
    tmp_path: Path,
) -> None:
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {WAIT!r}])\n"
        "print('done')\n"
    )
    done = await asyncio.wait_for(ask(code, tmp_path), 15)
    assert done.stdout == b"done\n"
    assert await asyncio.to_thread(becomes_true, lambda: not marked_children())


async def test_cancelling_the_caller_ends_the_child(tmp_path: Path) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(ask(code, tmp_path))
    pid_file = tmp_path / "pid"
    await asyncio.to_thread(becomes_true, lambda: pid_file.exists() and pid_file.read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(becomes_true, lambda: not marked_children())


def marked_children() -> list[int]:
    """What this test's short children, and theirs, have left alive."""
    found = []
    for left in psutil.process_iter():
        try:
            if left.environ().get(process.MARK, "").startswith(f"child-{os.getpid()}-"):
                found.append(left.pid)
        except psutil.Error:
            continue
    return found


def becomes_true(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True
