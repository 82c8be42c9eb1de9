"""The answer of a process that reads one request on stdin and says what it found on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from backend.contract.download import HubRequest, write_end
from backend.contract.record import read_record, write_record
from backend.engines.download.explain import explain


def answer_request(key: str, look_up: Callable[[HubRequest], Any]) -> int:
    """Write what `look_up` finds under `key`, or under `end` how it failed; the exit code, 0."""
    request = read_record(HubRequest, json.load(sys.stdin))
    try:
        answer: dict[str, Any] = {key: write_record(look_up(request))}
    except Exception as problem:  # noqa: BLE001 - the one top-level handler of this process
        answer = {"end": write_end(explain(problem, request))}
    sys.stdout.write(json.dumps(answer))
    return 0
