"""From the request to a run's first metric: with a spare engine, with a fresh one, and plain.

In CPU seconds of the engine's process, since other work on the machine stretches every other clock;
seconds of the wall stand beside them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from backend.cli.client import Client
from backend.core.spare import MODULE
from backend.settings import Settings
from scripts.bench.measures import Measure
from scripts.bench.runs import bench_request, copy_config, rows, service, start_plain

LIMIT = 0.4
T = TypeVar("T")
_TICK = 0.005
_PATIENCE = 120.0
_SHORT = {"iterations": 2, "steps_per_report": 1}


@dataclass(frozen=True, slots=True)
class First:
    """What it took until the first metric was there."""

    cpu: float
    wall: float


def sooner(pairs: int) -> Iterator[Measure]:
    """All three in turn."""
    spare: list[First] = []
    fresh: list[First] = []
    plain: list[First] = []
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        root = Path(folder)
        with service(root / "data") as (settings, client, pid):
            for number in range(pairs):
                request = {**bench_request(client, settings, f"sooner-{number}"), **_SHORT}
                client.post("/training/preview", request)
                spare.append(_run(client, settings, request, waiting=spare_of(pid)))
                # Right after a start nothing waits: none is begun beside a run.
                again = {**request, "adapter_name": f"fresh-{number}"}
                _end_spare(pid)
                fresh.append(_run(client, settings, again, waiting=None))
                _end_spare(pid)
                plain.append(_plain(settings, root / f"plain-{number}"))
                print(f"    {number + 1}: spare {spare[-1]}, fresh {fresh[-1]}, plain {plain[-1]}")
    yield Measure(
        "CPU to the first metric, app ÷ plain mlx_lm",
        statistics.median(a.cpu / b.cpu for a, b in zip(spare, plain, strict=True)),
        "×",
        LIMIT,
        detail=f"median of {pairs}; spare {_said(spare)}, fresh {_said(fresh)}, "
        f"plain {_said(plain)}",
    )


def _said(times: list[First]) -> str:
    cpu = statistics.median(time.cpu for time in times)
    return f"{cpu:.2f} s of CPU, {statistics.median(time.wall for time in times):.2f} s"


def spare_of(server: int) -> psutil.Process:
    """The server's spare engine, once it is done with its imports: it takes no CPU any more."""
    spare = _until(lambda: _find_spare(server), "a spare engine")
    before = -1.0
    while (now := _cpu(spare)) > before or now < 1.0:
        before = now
        time.sleep(0.5)
    return spare


def _find_spare(server: int) -> psutil.Process | None:
    children = psutil.Process(server).children()
    return next((each for each in children if MODULE in each.cmdline()), None)


def _end_spare(server: int) -> None:
    if (spare := _find_spare(server)) is not None:
        spare.kill()


def _run(
    client: Client, settings: Settings, request: dict[str, Any], waiting: psutil.Process | None
) -> First:
    before = 0.0 if waiting is None else _cpu(waiting)
    started = time.monotonic()
    session = str(client.post("/training/start", request)["session_id"])
    engine = psutil.Process(int(client.get("/training/status")["pid"]))
    if (waiting is not None) != (waiting == engine):
        raise RuntimeError("The run did not begin in the process that it should.")
    events = settings.sessions_dir / session / "events.jsonl"
    _until(lambda: b'"train_loss"' in events.read_bytes(), "a metric")
    first = First(_cpu(engine) - before, time.monotonic() - started)
    _until(lambda: client.get("/training/status")["state"] == "completed", "the end", 0.2)
    return first


def _plain(settings: Settings, work: Path) -> First:
    """mlx_lm's own command on the YAML of the run before."""
    work.mkdir()
    newest = max(settings.sessions_dir.glob("*/config.yaml"), key=lambda path: path.stat().st_mtime)
    copy, said = copy_config(newest, work), work / "out.txt"
    started = time.monotonic()
    process = start_plain(settings, copy, said)
    _until(lambda: bool(rows(said.read_text(encoding="utf-8", errors="replace"))), "a metric")
    first = First(_cpu(process), time.monotonic() - started)
    process.wait(_PATIENCE)
    return first


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _until(reached: Callable[[], T | None], what: str, tick: float = _TICK) -> T:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            if answer := reached():
                return answer
        except (FileNotFoundError, psutil.NoSuchProcess):
            pass
        time.sleep(tick)
    raise RuntimeError(f"There was no {what} within {_PATIENCE:.0f} seconds.")
