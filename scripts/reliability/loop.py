"""Kill loop: a real server and a real engine on the demo model, killed as planned and checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from backend.cli.client import Refused
from backend.core.disk.files import JsonlTail
from backend.core.process import MARK
from backend.settings import read_settings
from scripts.reliability.checks import (
    Broken,
    check_adapters,
    check_chart,
    check_processes,
    check_records,
    last_word,
    require,
    snapshot,
)
from scripts.reliability.plan import Kill
from scripts.setup.stamps import CHECKOUT
from scripts.start.service import start_service

KEPT = 4  # Sessions that are left in the list; older ones are deleted, with their adapters.
_ACTIVE = frozenset({"starting", "running", "paused", "stopping"})
_BASE = "base"
_TICK = 0.01
_PATIENCE = 180.0
_EVENTS = {"training": "metrics", "best": "best", "checkpoint": "checkpoint"}


class KillLoop:
    """One data root over all kills. `root` is a folder of its own; nothing outside is touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = read_settings({}, data_dir=str(root), port=0)
        self.adapters, self.sessions = self.settings.adapters_dir, self.settings.sessions_dir
        self.points = 0
        self._known: set[str] = set()
        self._foreign()
        self._server, self._client = start_service(self.settings)
        self._run_base()

    def close(self) -> None:
        if self._server.poll() is None:
            with suppress(OSError, Refused):
                self._client.post("/training/stop", {"save": False, "hold_queue": True})
            self._server.terminate()
            self._server.wait(30)

    def once(self, kill: Kill) -> str:
        """One run, one kill, every check. Answers how it came out; raises Broken."""
        name = _BASE if kill.overwrite else f"run{kill.number}"
        before = snapshot(self.adapters)
        session = self._start_and_kill(kill, name)
        if self._server.poll() is not None:
            if kill.again is not None:
                self._kill_in_start(kill.again)
            self._server, self._client = start_service(self.settings)
        self._until_ended(kill)
        rows = check_records(self._client, self._known)
        fresh = {row["session_id"] for row in rows} - self._known
        require(session is None or session in fresh, f"the session {session} is lost")
        require(len(fresh) <= 1, f"one start made {len(fresh)} sessions")
        session = next(iter(fresh), None)
        end = None
        if session is not None:
            require(rows[0]["session_id"] == session, "the newest session is not the first")
            self.points += check_chart(self._client, self.sessions, session)
            end = last_word(self.sessions, session)
            check_processes(self.sessions, session)
        folders = self._run_folders()
        require(folders == self._known | fresh, f"run folders: {folders ^ (self._known | fresh)}")
        adapter = check_adapters(self.adapters, before, name, session, end)
        self._known |= fresh
        state = rows[0]["training_state"] if session is not None else "no session"
        self._delete_old([row["session_id"] for row in rows])
        return f"{state}, adapter {adapter}"

    # -- one kill ---------------------------------------------------------------------------

    def _start_and_kill(self, kill: Kill, name: str) -> str | None:
        """The session, if the start was answered before the kill."""
        answers: list[str] = []
        request = self._request(name)
        if kill.moment == "start" and kill.victim != "engine":
            starting = threading.Thread(target=self._post_start, args=(request, answers))
            starting.start()
            if kill.delay:  # Else in the middle of the plan.
                folders = self._run_folders()
                until(lambda: self._run_folders() != folders or bool(answers), "run folder")
            time.sleep(kill.delay)
            pid = self._new_engine() if kill.victim == "both" else None
            self._kill(pid, server=True)
            starting.join()
            return answers[0] if answers else None
        self._post_start(request, answers)
        require(answers, "the start was refused")
        session = answers[0]
        pid = self._client.get("/training/status")["pid"]
        self._reach(kill, session)
        if kill.moment == "stop":
            with suppress(Refused):
                self._client.post("/training/stop", {"save": kill.save, "hold_queue": True})
        time.sleep(kill.delay)
        self._kill(pid if kill.victim != "server" else None, server=kill.victim != "engine")
        return session

    def _post_start(self, request: dict[str, Any], answers: list[str]) -> None:
        with suppress(OSError, ValueError):  # The server is killed while it answers.
            answers.append(str(self._client.post("/training/start", request)["session_id"]))

    def _reach(self, kill: Kill, session: str) -> None:
        """Wait for the moment, by the run's own events; a run that has ended has passed it."""
        if kill.moment in {"start", "loading"}:
            return
        kind = _EVENTS.get(kill.moment, "metrics")
        if kill.moment == "end":
            kind = "exit"
        tail = JsonlTail(self.sessions / session / "events.jsonl")
        kinds: set[str] = set()

        def reached() -> bool:
            kinds.update(event.get("type") for event in tail.read())
            return bool({kind, "exit"} & kinds)

        until(reached, f"{kind} of {session}")

    def _run_folders(self) -> set[str]:
        return {path.name for path in self.sessions.iterdir() if path.is_dir()}

    def _new_engine(self) -> int | None:
        """The engine that the server is starting, if it is there."""
        with suppress(psutil.Error):
            for child in psutil.Process(self._server.pid).children():
                if child.environ().get(MARK, "").startswith(f"{self.sessions.resolve()}/"):
                    return child.pid
        return None

    def _kill(self, engine: int | None, *, server: bool) -> None:
        if server:
            self._server.kill()
        if engine is not None:
            with suppress(ProcessLookupError):
                os.kill(engine, 9)
        if server:
            self._server.wait()

    def _kill_in_start(self, after: float) -> None:
        server = subprocess.Popen(
            [sys.executable, "-m", "backend", "--port", "0", "--data-dir", str(self.root)],
            cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(after)
        server.kill()
        server.wait()

    def _until_ended(self, kill: Kill) -> None:
        """The run ends, or is stopped; then it is settled."""
        if kill.stop_after and self._client.get("/training/status")["state"] in _ACTIVE:
            self._client.post("/training/stop", {"save": kill.save, "hold_queue": True})
        until(
            lambda: self._client.get("/training/status")["state"] not in _ACTIVE, "end of the run"
        )

    # -- before and after -------------------------------------------------------------------

    def _foreign(self) -> None:
        """What a user may keep there, which nothing may touch."""
        for folder in (self.adapters / "notes", self.adapters / "empty", self.root / "documents"):
            folder.mkdir(parents=True)
        (self.adapters / "notes" / "mine.txt").write_text("mine", encoding="utf-8")

    def _run_base(self) -> None:
        """The adapter that later runs overwrite."""
        self._client.post("/training/start", self._request(_BASE) | {"iterations": 4})
        until(lambda: self._client.get("/training/status")["state"] == "completed", "first run")
        self._known = {row["session_id"] for row in self._client.get("/sessions")["sessions"]}

    def _request(self, name: str) -> dict[str, Any]:
        chat = CHECKOUT / "test_data" / "demo" / "chat"
        return {
            "model_path": str(CHECKOUT / "test_data" / "models" / "droid-demo"),
            "train_data_path": str(chat / "train.jsonl"),
            "val_data_path": str(chat / "valid.jsonl"),
            "adapter_name": name,
            "overwrite": name == _BASE,
            "iterations": 60,
            "batch_size": 2,
            "max_seq_length": 256,
            "val_batches": 1,
            "steps_per_report": 1,
            "steps_per_eval": 6,
            "save_every": 10,
        }

    def _delete_old(self, newest_first: list[str]) -> None:
        """Deleting is a removal too: what it leaves is looked at by the next check."""
        base = json.loads((self.adapters / _BASE / "droid.json").read_bytes())["session_id"]
        for session in newest_first[KEPT:]:
            if session != base:
                self._delete(session)
                self._known.discard(session)

    def _delete(self, session: str) -> None:
        self._client.delete(f"/sessions/{session}?files=true")


@contextmanager
def kill_loop(root: Path) -> Iterator[KillLoop]:
    loop = KillLoop(root)
    try:
        yield loop
    finally:
        loop.close()


def until(reached: Callable[[], bool], what: str) -> None:
    """Raises Broken when it does not come."""
    deadline = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise Broken(f"{what} did not come within {_PATIENCE:.0f} seconds")
        time.sleep(_TICK)
