"""The second half of `./startmlxnew`: run the service, show it, and end it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType

from backend.cli.client import Client, Refused
from backend.settings import Settings, read_settings
from scripts.start.demo import run_demo
from scripts.start.options import Options, read_options
from scripts.start.record import Record, drop_record, end, known, read_record, write_record
from scripts.start.service import NotStarted, start_service
from scripts.start.window import open_window

_GRACE = 15.0
_TICK = 0.2
_ACTIVE = frozenset({"starting", "running", "paused", "stopping"})


class _Ended(Exception):
    """A signal asked this command to end."""


def main() -> int:
    options = read_options(sys.argv[1:])
    try:
        settings = read_settings(port=options.port)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        running = _find_running(settings)
        return use_running(running, options, settings) if running else _serve(options, settings)
    except _Ended:
        return 130
    except NotStarted as problem:
        print(f"The service did not start. {problem}", file=sys.stderr)
        return 1


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended


def _find_running(settings: Settings) -> Client | None:
    """The healthy service that an earlier start of this checkout left running."""
    record = read_record(settings)
    if record is None or record.server.find() is None:
        return None
    client = Client(record.url, settings.token)
    return client if client.healthy() else None


def use_running(client: Client, options: Options, settings: Settings) -> int:
    print(f"Droid FineTuning is already running at {client.url}")
    if options.port and not client.url.endswith(f":{options.port}"):
        print(f"  It does not move to port {options.port}: end it first, with ./killmlxnew.")
    if options.window:
        open_window(client.url, settings.token)
    if options.demo:
        return 0 if run_demo(client, settings.adapters_dir) else 1
    return 0


def _serve(options: Options, settings: Settings) -> int:
    server, client = start_service(settings)
    window: subprocess.Popen[bytes] | None = None
    own_run = False
    try:
        write_record(settings.logs_dir, Record(client.url, known(server.pid), known(os.getpid())))
        print(f"Droid FineTuning is running at {client.url}", flush=True)
        if options.window:
            window = open_window(client.url, settings.token)
        if options.demo:
            own_run = True
            good = run_demo(client, settings.adapters_dir)
            own_run = False
            if not options.window:
                return 0 if good else 1
        print("  Ctrl-C or ./killmlxnew ends it.", flush=True)
        return _wait(server, window)
    except _Ended:
        return 130 if own_run else 0
    finally:
        _close(server, client, settings, stop_run=own_run)
        if window is not None and window.poll() is None:
            window.terminate()


def _wait(server: subprocess.Popen[bytes], window: subprocess.Popen[bytes] | None) -> int:
    """Until the service ends, or the desktop window is quit, or a signal comes."""
    while server.poll() is None:
        if window is not None and window.poll() is not None:
            return 0
        time.sleep(_TICK)
    print(f"The service ended by itself with code {server.returncode}.", file=sys.stderr)
    return 1


def _close(
    server: subprocess.Popen[bytes], client: Client, settings: Settings, *, stop_run: bool
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if server.poll() is None:
        _mind_the_run(client, stop=stop_run)
        end(known(server.pid), patience=_GRACE)
        server.wait()
    drop_record(settings.logs_dir)


def _mind_the_run(client: Client, *, stop: bool) -> None:
    """A run owns itself and survives this; the demo run of a broken-off demo does not."""
    try:
        if client.get("/training/status", timeout=5)["state"] not in _ACTIVE:
            return
        if stop:
            client.post("/training/stop", {"save": False, "hold_queue": True})
            print("  The demo run was stopped.")
        else:
            print("  A training run goes on by itself; the next start finds it again.")
    except (OSError, ValueError, KeyError, Refused):
        return


if __name__ == "__main__":
    sys.exit(main())
