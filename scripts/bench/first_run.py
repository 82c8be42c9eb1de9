"""What one waits for at first: a start with nothing to set up, and the demo run."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from backend.cli.client import Client
from scripts.bench.measures import Measure
from scripts.bench.runs import service, until_ended
from scripts.setup.stamps import CHECKOUT
from scripts.start.demo import demo_request

RUNNING = "Droid FineTuning is running at "  # `scripts/start/serve.py`, once it is healthy.
_STARTS = 5


def first_run() -> Iterator[Measure]:
    """Seconds of a second start to a healthy server, and of the demo run with its own defaults."""
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        command = [str(CHECKOUT / "startmlxnew"), "--no-window", "--port", "0"]
        env = {**os.environ, "DROID_DATA_DIR": folder}
        seconds_to_running(command, env)  # The first one sets up what is out of date.
        seconds = [seconds_to_running(command, env) for _ in range(_STARTS)]
    yield Measure(
        "second start to healthy",
        statistics.median(seconds),
        "s",
        3.0,
        detail=f"median of {_STARTS}",
    )
    with (
        tempfile.TemporaryDirectory(prefix="droid-bench-") as folder,
        service(Path(folder)) as (settings, client, _),
    ):
        taken, losses = demo_run(client, settings.adapters_dir)
    detail = f"validation loss {losses[0]:.3f} before, {losses[-1]:.3f} after"
    yield Measure("demo run", taken, "s", 90.0, detail=detail)


def seconds_to_running(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Run the start command until it says that the service is healthy, and end it again."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None  # noqa: S101 - it is piped
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith(RUNNING):
                return time.monotonic() - started
        raise RuntimeError(f"{command[0]} did not start the service:\n{''.join(said[-20:])}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        process.wait()  # It ends the service, and after a while with force.


def demo_run(client: Client, adapters: Path) -> tuple[float, list[float]]:
    """Seconds from the request to the end, and the validation losses."""
    request = demo_request(client.get("/models")["models"], adapters)
    started = time.monotonic()
    session = str(client.post("/training/start", request)["session_id"])
    until_ended(client)
    taken = time.monotonic() - started
    validation = client.get(f"/sessions/{session}/metrics")["series"]["validation"]
    return taken, [loss for loss in validation["val_loss"] if loss is not None]
