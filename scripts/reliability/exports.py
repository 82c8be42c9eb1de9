"""Kill loop of exports: at a random moment of each, its process, the server or both."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.export.request import STAGING
from backend.contract.run.folder import EVENTS
from backend.core.disk.files import JsonlTail
from backend.core.process import find_marked
from backend.settings import read_settings
from scripts.reliability.checks import require, snapshot
from scripts.reliability.loop import until
from scripts.reliability.plan import Victim
from scripts.setup.stamps import CHECKOUT
from scripts.start.service import start_service

_CHAT = CHECKOUT / "test_data" / "demo" / "chat"
_MODEL = CHECKOUT / "test_data" / "models" / "droid-demo"
_FORMATS = ("merged", "merged_q4", "peft", "gguf_q8")
_MOMENTS = ("loading model", "writing", "testing", "measuring")
_VICTIMS: tuple[Victim, ...] = ("engine", "server", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKill:
    """`delay` seconds after the export has come to that moment, or has ended before it."""

    number: int
    format: str
    moment: str
    victim: Victim
    delay: float

    def __str__(self) -> str:
        return f"{self.format}: {self.victim} at {self.moment} + {self.delay:.2f} s"


def plan_export_kill(seed: int, number: int) -> ExportKill:
    """The same for the same seed and number."""
    chance = random.Random(f"export-{seed}-{number}")
    return ExportKill(
        number=number,
        format=_FORMATS[number % len(_FORMATS)],
        moment=chance.choice(_MOMENTS),
        victim=chance.choice(_VICTIMS),
        delay=chance.uniform(0.0, 1.5),
    )


class ExportKillLoop:
    """One adapter, exported again and again. `root` is a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.settings = read_settings({}, data_dir=str(root), port=0)
        self._exports = self.settings.exports_dir
        self._jobs = root / "jobs" / "export"
        self._valid = root / "valid.jsonl"
        root.mkdir(parents=True)
        rows = (_CHAT / "valid.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        self._valid.write_text("".join(rows[:4]), encoding="utf-8")
        self._server, self._client = start_service(self.settings)
        self._train()
        self._sources = self._snapshot_of_sources()
        self._whole: dict[str, dict[str, str]] = {}
        self.hit = 0  # Exports whose process was killed while it lived.

    def close(self) -> None:
        if self._server.poll() is None:
            self._server.terminate()
            self._server.wait(30)

    def once(self, kill: ExportKill) -> str:
        """One export, one kill, every check. Answers how it came out; raises Broken."""
        name = f"export-{kill.number}"
        started = self._client.post(
            "/api/fusion/export-model",
            {"adapter_name": "base", "format": kill.format, "output_name": name},
        )
        job = self._jobs / str(started["job_id"])
        self._reach(kill, job)
        time.sleep(kill.delay)
        self._kill(kill, job)
        until(lambda: self._status()["status"] not in {"starting", "running"}, "end of the export")
        status = self._status()["status"]
        self._check(name, job, status)
        return f"{status}, export {'whole' if name in self._whole else 'none'}"

    def _check(self, name: str, job: Path, status: str) -> None:
        now = snapshot(self._exports) if self._exports.is_dir() else {}
        half = [each for each in now if re.fullmatch(STAGING, each)]
        require(not half, f"half-finished folders are left: {half}")
        if status == "completed":
            self._whole[name] = now.get(name, {})
            require({"README.md", "droid.json"} <= set(self._whole[name]), f"{name} is not whole")
        require(now == self._whole, f"exports: {set(now) ^ set(self._whole)} or changed files")
        require(self._snapshot_of_sources() == self._sources, "a source was changed")
        require(find_marked(_mark(job)) is None, "a process of the export is left")

    def _snapshot_of_sources(self) -> Any:
        return snapshot(self.settings.adapters_dir), snapshot(_MODEL.parent)

    def _reach(self, kill: ExportKill, job: Path) -> None:
        """By the job's own events; phases after the test are those of measuring."""
        tail = JsonlTail(job / EVENTS)
        names: list[str] = []

        def reached() -> bool:
            for event in tail.read():
                names.append(str(event.get("name") if event.get("type") == "phase" else "exit"
                                 if event.get("type") == "exit" else ""))  # fmt: skip
            later = "testing" in names and any(names[names.index("testing") + 1 :])
            return kill.moment in names or "exit" in names or (kill.moment == "measuring" and later)

        until(reached, f"{kill.moment} of {job.name}")

    def _kill(self, kill: ExportKill, job: Path) -> None:
        if kill.victim != "engine":
            self._server.kill()
            self._server.wait()
        if kill.victim != "server":
            self.hit += find_marked(_mark(job)) is not None
            while (found := find_marked(_mark(job))) is not None:
                with suppress(ProcessLookupError):
                    os.kill(found.pid, 9)
        if kill.victim != "engine":
            self._server, self._client = start_service(self.settings)

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._client.get("/api/fusion/export-status")
        return status

    def _train(self) -> None:
        self._client.post(
            "/training/start",
            {
                "model_path": str(_MODEL),
                "train_data_path": str(_CHAT / "train.jsonl"),
                "val_data_path": str(self._valid),
                "adapter_name": "base",
                "iterations": 4,
                "batch_size": 2,
                "max_seq_length": 128,
                "steps_per_eval": 4,
            },
        )
        until(
            lambda: self._client.get("/training/status")["state"] in {"completed", "error"}, "run"
        )


def _mark(job: Path) -> str:
    """As `JobFolder.mark` of the server has it."""
    return f"export {job.resolve()}"


@contextmanager
def export_kill_loop(root: Path) -> Iterator[ExportKillLoop]:
    loop = ExportKillLoop(root)
    try:
        yield loop
    finally:
        loop.close()
