"""`./killmlxnew`: end the service and its launcher, and nothing else."""

from __future__ import annotations

import argparse
import sys
import time

from backend.cli.client import Client, Refused
from backend.settings import read_settings
from scripts.start.record import Record, drop_record, end, read_record

_GRACE = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./killmlxnew",
        description="End what ./startmlxnew started. A training run goes on by itself.",
    )
    parser.add_argument("--runs", action="store_true", help="stop and save a training run first")
    args = parser.parse_args()
    try:
        settings = read_settings()
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    record = read_record(settings)
    if record is None or (record.server.find() is None and record.launcher.find() is None):
        print("Nothing that ./startmlxnew started is running.")
        drop_record(settings.logs_dir)
        return 0
    if args.runs:
        _stop_run(Client(record.url, settings.token))
    _end(record)
    drop_record(settings.logs_dir)
    print(f"Ended the service at {record.url}.")
    return 0


def _stop_run(client: Client) -> None:
    try:
        print(client.post("/training/stop", {"save": True, "hold_queue": True})["message"])
        while client.get("/training/status")["state"] == "stopping":
            time.sleep(0.2)
    except (OSError, Refused) as problem:
        print(f"The run could not be stopped: {problem}", file=sys.stderr)


def _end(record: Record) -> None:
    # The launcher ends the service by itself; the second line is for a launcher that is gone.
    end(record.launcher, patience=_GRACE)
    end(record.server, patience=_GRACE)


if __name__ == "__main__":
    sys.exit(main())
